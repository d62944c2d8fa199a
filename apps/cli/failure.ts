import { TAKES_NO_WRITES } from '#core/postgres/connection/read-only.js';

/** The error of a command that can't be carried out. Its message is one line that names the cause and the cure. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Creates the error for a sale id that Postgres doesn't have. */
export function unknownSale(saleId: string): CommandError {
  return new CommandError(`there is no sale ${saleId}: \`npm run cli -- sale list\` lists the sales`);
}

/** Postgres's message for a write that a standby, or a server that was made read-only, refuses. */
const READ_ONLY = /cannot execute .* in a read-only transaction/;

/**
 * Returns one line about an error, for a terminal. Prisma's messages have several: the failed call comes first, and the
 * cause last.
 */
export function tellOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node tries every address of a host name. If all fail, it throws one AggregateError without a message, so the first
  // error is reported.
  if (error instanceof AggregateError && !error.message) return tellOf(error.errors[0]);
  if (READ_ONLY.test(error.message)) return TAKES_NO_WRITES;
  const lines = error.message.split('\n').map(line => line.trim());
  return lines.filter(Boolean).at(-1) ?? error.name;
}
