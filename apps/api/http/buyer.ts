import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { isSameOrigin } from '#core/http/same-origin.js';
import { Problem } from '#core/rules/errors.js';

/** Where a page keeps the buyer's token, out of reach of scripts. */
export const TOKEN_COOKIE = 'dropline_token';

const BEARER = /^Bearer +([^\s]+) *$/i;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** Whose token it is; undefined for one that isn't valid. It throws Problem unavailable when that can't be told yet. */
export type VerifyToken = (token: string) => string | undefined;

/**
 * Tells who sends a request. A header that is there decides, even if it is wrong: nobody acts as somebody else by accident.
 *
 * @param req the request
 * @param verify whose token it is
 * @returns the buyer's id
 * @throws Problem unauthenticated, or what `verify` throws; forbidden_origin when the cookie came with a request of another site's page
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

/**
 * @param req a request
 * @returns the token in its cookie, if there is one
 */
export function cookieToken(req: IncomingMessage): string | undefined {
  return req.headers.cookie === undefined ? undefined : parseCookie(req.headers.cookie)[TOKEN_COOKIE];
}
