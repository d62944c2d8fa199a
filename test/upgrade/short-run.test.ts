import { expect, test } from '@jest/globals';
import { SHORT } from './forms.js';
import { readFrom, readSeed } from './rig/from.js';
import { runUpgrade } from './run.js';

// The order of the replacements is another one each time; a failure says its seed, and keeps the history and the logs.

test('an upgrade while a sale runs breaks no promise', async () => {
  const seed = readSeed();
  const { result, folder } = await runUpgrade({ commit: await readFrom(), form: SHORT, seed }, () => undefined);
  const { violations } = result;
  expect({ seed, folder: violations.length > 0 ? folder : '', violations }).toEqual({
    seed,
    folder: '',
    violations: [],
  });
  expect(result.accepted).toBeGreaterThan(100);
  expect(result.paid).toBeGreaterThan(50);
}, 600_000);
