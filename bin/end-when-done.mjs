// Loaded before Jest. Node 20 sometimes never ends after Jest's work: with nothing left to do it frees its environment, and waits
// at full speed for a handle that never closes. So the process ends itself once it has nothing left to do. A test that leaves
// something open still holds it up.
process.once('beforeExit', () => process.exit());
