import { z } from 'zod';
import { isPlain } from './text.js';

/** The longest address: longer ones are cut or refused on the way by some programs. Providers' pages have some 1,000. */
const LENGTH_MAX = 8_192;

/**
 * Tells whether a text may be an address: it is not too long, and has no white space and no control characters, of which
 * `new URL` drops some without a word.
 */
export function isAddressText(text: string): boolean {
  return text.length <= LENGTH_MAX && isPlain(text) && !/\s/.test(text);
}

/** Creates the validator of a URL. The messages never show the address: it may contain a password. */
function url(protocol: RegExp, example: string) {
  const isUrl = (text: string) => isAddressText(text) && URL.canParse(text) && protocol.test(new URL(text).protocol);
  return z.string().refine(isUrl, { error: `must be a URL like ${example}`, abort: true });
}

/**
 * Creates the validator of an HTTP address. User and password are refused: `fetch` calls no such address, and its error
 * shows both.
 */
function httpUrl(example: string) {
  const error = `must be a URL without a user and a password, like ${example}`;
  return url(/^https?:$/, example).refine(text => !new URL(text).username && !new URL(text).password, {
    error,
    abort: true,
  });
}

/**
 * Creates the validator of an HTTP address that a process calls. It has no fragment, as none ever reaches a server.
 *
 * @param example shown in the message
 */
export function calledAddress(example: string) {
  return httpUrl(example).refine(text => !text.includes('#'), {
    error: `must be a URL without a #, like ${example}`,
    abort: true,
  });
}

/**
 * Creates the validator of an HTTP address to which paths are added. So it has no query.
 *
 * @param example shown in the message
 */
export function baseAddress(example: string) {
  return calledAddress(example).refine(text => !text.includes('?'), `must be a URL without a ?, like ${example}`);
}

/** Validates the address of a page that a buyer's browser opens. */
export const pageAddress = httpUrl('https://pay.example/p/1');

/** Validates names of hosts with commas between them. They are returned in lower case, as browsers send them. */
export const hostNames = z
  .string()
  .transform(text => text.split(',').map(name => name.trim().toLowerCase()))
  .pipe(z.array(z.string().regex(/^[a-z0-9.-]+$/, 'must be host names like console.shop.example, without a port')));
