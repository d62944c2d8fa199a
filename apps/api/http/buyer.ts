import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { isSameOrigin } from '#core/http/same-origin.js';
import { Problem } from '#core/rules/errors.js';

/** The cookie in which a browser keeps the buyer's token, out of reach of the page's scripts. */
export const TOKEN_COOKIE = 'dropline_token';

const BEARER = /^Bearer +([^\s]+) *$/i;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/**
 * Returns the buyer's id from a token, or undefined for an invalid token.
 *
 * @throws Problem `unavailable` while the issuer's keys that the token needs are not read yet
 */
export type VerifyToken = (token: string) => string | undefined;

/**
 * Returns the id of the buyer who sends a request. An `Authorization` header, even an invalid one, takes precedence
 * over the cookie. So a forgotten cookie never makes a request act for another buyer.
 *
 * @throws Problem `unauthenticated` without a valid token; `forbidden_origin` for a cookie in an unsafe request that no
 *   page of this origin sent; what `verify` throws
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

/** Returns the buyer's token from the request's cookie, if there is one. */
export function cookieToken(req: IncomingMessage): string | undefined {
  return req.headers.cookie === undefined ? undefined : parseCookie(req.headers.cookie)[TOKEN_COOKIE];
}
