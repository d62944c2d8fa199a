import { InvalidArgumentError } from 'commander';
import { buyerIdOf, namedBuyerId } from '#core/identity/buyer-id.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { CURRENCY_PATTERN } from '#core/rules/sale.js';

/**
 * Parses the id of a sale.
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
 * Parses a currency: three capital letters, as ISO 4217 has them.
 *
 * @throws InvalidArgumentError, whose message describes a valid currency
 */
export function parseCurrency(text: string): string {
  if (!CURRENCY_PATTERN.test(text)) throw new InvalidArgumentError('It must be three capital letters, such as EUR.');
  return text;
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
  return text => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
