import { Command } from 'commander';
import { parseCount } from '../processes/command-line.js';
import { Books } from './books.js';
import { Events } from './events.js';
import { startServer } from './server.js';

// A payment provider for tests and the demo, as a process of its own. It takes play money on a page, and reports payments by signed
// events. On request it misbehaves as real providers do. docs/payments.md has its calls.

const { port, webhook, key, secret } = new Command('fake-provider')
  .requiredOption('--port <n>', 'where it listens, on 127.0.0.1', parseCount)
  .requiredOption('--webhook <url>', 'where its events go')
  .requiredOption('--key <text>', 'the key that its callers must send')
  .requiredOption('--secret <text>', 'the secret that signs its events')
  .parse()
  .opts<{ port: number; webhook: string; key: string; secret: string }>();

const events = new Events(webhook, secret);
const books = new Books(`http://127.0.0.1:${port}`, (...change) => events.add(...change));
const server = await startServer({ port, key, books, events });
process.stdout.write(`fake provider listens on ${port}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    process.exit(0);
  });
}
