import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/**
 * What never belongs into a log: credentials, and the arguments of a Redis command, which ioredis hangs on its errors.
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
 * @param name which process writes
 * @param level the least important level that is written
 * @returns a logger of JSON lines on standard output
 */
export function createLogger(name: string, level: string): Logger {
  return pino({ name, level, redact: { paths: SECRETS, censor: '[redacted]' } });
}
