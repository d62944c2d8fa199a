import { type Command, InvalidArgumentError } from 'commander';
import type { ZodType } from 'zod';
import { buyerIdOf, namedBuyerId } from '#core/identity/buyer-id.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { currencyCode, typedAmount } from '#core/values/money.js';
import { wholeNumber } from '#core/values/number.js';

/**
 * Parses the id of a sale or of a group of buyers.
 *
 * @throws InvalidArgumentError, whose message describes a valid id
 */
export function parseId(text: string): string {
  if (!ID_PATTERN.test(text)) throw new InvalidArgumentError('It must be 1 to 64 of the characters A-Z a-z 0-9 _ -');
  return text;
}

/**
 * Parses the buyer whom an operator names, by the name in the buyer's token or by the id that the console shows.
 *
 * @returns the buyer's id
 * @throws InvalidArgumentError, whose message describes a valid name
 */
export function parseBuyer(text: string): string {
  return known(namedBuyerId(text));
}

/**
 * Parses the name of a buyer for a token. The API makes the buyer's id of it.
 *
 * @returns the same text
 * @throws InvalidArgumentError for an id that was made of a name, and for a text that is no name
 */
export function parseBuyerName(text: string): string {
  known(buyerIdOf(text));
  return text;
}

function known(buyerId: string | undefined): string {
  if (buyerId !== undefined) return buyerId;
  throw new InvalidArgumentError(
    "It must be a buyer's name as the shop's tokens have it: 1 to 255 printable ASCII characters without spaces.",
  );
}

/**
 * Creates a parser of texts that a validator accepts. For other texts the parser throws InvalidArgumentError, whose
 * message is the validator's.
 */
export function parseBy<T>(validator: ZodType<T>): (text: string) => T {
  return text => {
    const { success, data, error } = validator.safeParse(text);
    if (success) return data;
    throw new InvalidArgumentError(`It ${error.issues[0]?.message}.`);
  };
}

/**
 * Parses a currency of ISO 4217.
 *
 * @throws InvalidArgumentError, whose message describes a valid currency
 */
export const parseCurrency = parseBy(currencyCode);

/**
 * Parses the amount of an option, in minor units of a currency. An option's own parser cannot do this, as the currency
 * is another option.
 *
 * @param flags of the option, as the command names it
 * @throws CommanderError, whose message shows a valid amount
 */
export function parseAmount(
  command: Command,
  flags: string,
  { text, currency, min }: { text: string; currency: string; min: number },
): number {
  try {
    return parseBy(typedAmount(currency, min))(text);
  } catch (error) {
    const { message } = error as InvalidArgumentError;
    return command.error(`option '${flags}' argument '${text}' is invalid. ${message}`, { exitCode: 2 });
  }
}

/**
 * Parses the id of an order: a UUID in lower case.
 *
 * @throws InvalidArgumentError, whose message shows a valid id
 */
export function parseOrderId(text: string): string {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) {
    throw new InvalidArgumentError('It must be the id of an order, such as 0f8fad5b-d9cb-469f-a165-70867728950e.');
  }
  return text;
}

/**
 * Creates a parser of whole numbers from `min` to `max`. For other texts the parser throws InvalidArgumentError, whose
 * message names both limits.
 */
export function parseWhole(min: number, max: number): (text: string) => number {
  return parseBy(wholeNumber({ min, max }));
}
