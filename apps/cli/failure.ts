/** A command can't be carried out; the message is one line that says what is wrong and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/**
 * @param saleId a sale that Postgres doesn't have
 * @returns what the operator is told
 */
export function unknownSale(saleId: string): CommandError {
  return new CommandError(`there is no sale ${saleId}: \`npm run cli -- sale list\` shows those there are`);
}

/**
 * @param error anything that was thrown
 * @returns what it says, in one line: Prisma puts what is wrong last, below a picture of the call
 */
export function tellOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A name with several addresses fails with an error for each, and no message of its own.
  if (error instanceof AggregateError && !error.message) return tellOf(error.errors[0]);
  const lines = error.message.split('\n').map(line => line.trim());
  return lines.filter(Boolean).at(-1) ?? error.name;
}
