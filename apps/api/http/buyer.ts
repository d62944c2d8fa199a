import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { isSameOrigin } from '#core/http/same-origin.js';
import { Problem } from '#core/rules/errors.js';

/** The cookie in which a page keeps the buyer's token, out of reach of scripts. */
export const TOKEN_COOKIE = 'dropline_token';

const BEARER = /^Bearer +([^\s]+) *$/i;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Returns the buyer's id of a token, or undefined for an invalid token.
 *
 * @throws Problem `unavailable` while the keys that would tell are not read yet
 */
export type VerifyToken = (token: string) => string | undefined;

/**
 * Returns the id of the buyer who sends a request. A header decides even if it is invalid, so that no buyer acts as
 * another one by a forgotten cookie.
 *
 * @throws Problem `unauthenticated`; `forbidden_origin` for a cookie that came with a request from another site's page;
 *   what `verify` throws
 */
export function buyerOf(req: IncomingMessage, verify: VerifyToken): string {
  const header = req.headers.authorization;
  const token = header === undefined ? cookieToken(req) : BEARER.exec(header)?.[1];
  const buyerId = token === undefined ? undefined : verify(token);
  if (buyerId === undefined) throw new Problem('unauthenticated');
  if (header === undefined && !SAFE_METHODS.has(req.method ?? '') && !isSameOrigin(req.headers)) {
    throw new Problem('forbidden_origin');
  }
  return buyerId;
}

/** Returns the token in a request's cookie, if there is one. */
export function cookieToken(req: IncomingMessage): string | undefined {
  return req.headers.cookie === undefined ? undefined : parseCookie(req.headers.cookie)[TOKEN_COOKIE];
}
