import { Command } from 'commander';
import { whole } from '../options.js';
import { createBooks } from './books.js';
import { createEvents } from './events.js';
import { listen } from './server.js';

/**
 * A payment provider for tests and the demo, as a process of its own: it takes play money on a page, tells of it by signed events, and
 * misbehaves as real ones do, on request (docs/payments.md has its calls).
 */
const { port, webhook, key, secret } = new Command('fake-provider')
  .requiredOption('--port <n>', 'where it listens, on 127.0.0.1', whole)
  .requiredOption('--webhook <url>', 'where its events go')
  .requiredOption('--key <text>', 'what its callers must know')
  .requiredOption('--secret <text>', 'what signs its events')
  .parse()
  .opts<{ port: number; webhook: string; key: string; secret: string }>();

const events = createEvents(webhook, secret);
const books = createBooks(`http://127.0.0.1:${port}`, events.add);
const server = await listen({ port, key, books, events });
process.stdout.write(`fake provider listens on ${port}\n`);
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close();
    process.exit(0);
  });
}
