/** A command can't be carried out. The message is one line that names the cause and the cure. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Creates the error for a sale that Postgres doesn't have. */
export function unknownSale(saleId: string): CommandError {
  return new CommandError(`there is no sale ${saleId}: \`npm run cli -- sale list\` lists the sales`);
}

/** Returns one line about an error. Prisma prints the code of the call first and the cause in the last line. */
export function tellOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node connects to every address of a host name, and throws their errors together, without a message of its own.
  if (error instanceof AggregateError && !error.message) return tellOf(error.errors[0]);
  const lines = error.message.split('\n').map(line => line.trim());
  return lines.filter(Boolean).at(-1) ?? error.name;
}
