import { type Logger, pino } from 'pino';

/** A logger of JSON lines. */
export type { Logger } from 'pino';

/**
 * Paths that are never logged: credentials, and the arguments of Redis commands, which ioredis attaches to its errors.
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
 * Creates a logger that writes JSON lines to standard output.
 *
 * @param name the process
 * @param level the least severe level that is written
 */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, redact: { paths: SECRETS, censor: '[redacted]' } });
}
