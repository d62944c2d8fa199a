import { type Logger, pino } from 'pino';

/** A logger that writes lines of JSON. */
export type { Logger } from 'pino';

/**
 * Paths of log fields that are never written: credentials, and arguments of Redis commands. ioredis attaches those
 * arguments to its errors.
 */
const SECRETS = [
  'authorization',
  'cookie',
  'set-cookie',
  'token',
  'receipt',
  '*.authorization',
  '*.cookie',
  '*["set-cookie"]',
  '*.token',
  '*.receipt',
  'err.command.args',
  'err.previousErrors',
];

/**
 * Creates a logger that writes lines of JSON to standard output.
 *
 * @param name names the process in each line
 * @param level the least severe level that is written
 */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, redact: { paths: SECRETS, censor: '[redacted]' } });
}
