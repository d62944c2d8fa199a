import { CommandError } from '../../failure.js';

/** Creates the error for a sale without lots, or that does not exist. */
export function noDraw(saleId: string): CommandError {
  return new CommandError(
    `there is no sale ${saleId} with lots: \`npm run cli -- sale list\` shows how each sale opens`,
  );
}
