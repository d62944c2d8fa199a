import { hash } from 'node:crypto';
import { ID_PATTERN } from '../rules/claim.js';

/** The beginning of every derived id, which also says how the id is made. */
const PREFIX = 'id-sha256-';

/** The form of a derived id: the prefix, and a SHA-256 hash in base64url, which is 43 characters. */
const DERIVED = /^id-sha256-[\w-]{43}$/;

/**
 * The names of a buyer that have an id: 1 to 255 printable ASCII characters without spaces, which is the bound that
 * OpenID Connect sets for `sub`. Other characters are refused, as Unicode has several spellings of one text, and some
 * of its letters become ASCII letters in lower case.
 */
const NAME = /^[!-~]{1,255}$/;

/** The form of a mail address. `auth0|a@b.example` and `AbC@clients` are none, so their letter case counts. */
const MAIL_ADDRESS = /^[^@|:/]+@[^@|:/]+\.[^@|:/.]+$/;

/**
 * Returns the id of the buyer whom a token names. A name that has the form of an id is the id. Any other name gets a
 * derived id: `id-sha256-`, and the SHA-256 hash of the name in base64url. A mail address is hashed in lower case.
 *
 * Two names never get the same id, unless they are one mail address in different letter case: a name in the form of a
 * derived id has no id. So nobody becomes another buyer by the choice of a name.
 *
 * @param name the claim of the token that names the buyer
 * @returns an id that matches {@link ID_PATTERN}; undefined for a name that has none
 */
export function buyerIdOf(name: string): string | undefined {
  if (ID_PATTERN.test(name)) return DERIVED.test(name) ? undefined : name;
  if (!NAME.test(name)) return undefined;
  return PREFIX + hash('sha256', MAIL_ADDRESS.test(name) ? name.toLowerCase() : name, 'base64url');
}

/**
 * Returns the id of the buyer whom an operator names: by the name in the buyer's token, or by the id that the console
 * shows. A derived id stays as it is here, as operators copy it.
 *
 * @returns undefined for a text that is neither
 */
export function namedBuyerId(text: string): string | undefined {
  return DERIVED.test(text) ? text : buyerIdOf(text);
}
