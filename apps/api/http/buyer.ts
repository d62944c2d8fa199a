import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import { isSameOrigin } from '#core/http/same-origin.js';
import type { TokenVerifier } from '#core/identity/token.js';
import { TOKEN_REFUSALS, type TokenBuyer, type TokenRefusal } from '#core/identity/token-refusal.js';
import { tokenRefused } from '#core/process/telemetry.js';
import { Problem } from '#core/rules/errors.js';

/** The cookie in which a browser keeps the buyer's token, out of reach of the page's scripts. */
export const TOKEN_COOKIE = 'dropline_token';

const BEARER = /^Bearer +([^\s]+) *$/i;
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** Returns the id of the buyer who sends a request, as {@link verifiedBuyer} does. */
export function buyerOf(req: IncomingMessage, verify: TokenVerifier): string {
  return verifiedBuyer(req, verify).buyerId;
}

/**
 * Returns the buyer who sends a request. An `Authorization` header, even an invalid one, takes precedence
 * over the cookie. So a forgotten cookie never makes a request act for another buyer.
 *
 * @throws Problem `unauthenticated` without a valid token, with the reason; `forbidden_origin` for a cookie in an unsafe
 *   request that no page of this origin sent; what `verify` throws
 */
export function verifiedBuyer(req: IncomingMessage, verify: TokenVerifier): TokenBuyer {
  const header = req.headers.authorization;
  const token = header === undefined ? cookieToken(req) : BEARER.exec(header)?.[1];
  if (token === undefined) throw unauthenticated(header === undefined ? 'missing' : 'scheme');
  const verdict = verify(token);
  if (verdict.kind === 'refused') throw unauthenticated(verdict.reason);
  if (header === undefined && !SAFE_METHODS.has(req.method ?? '') && !isSameOrigin(req.headers)) {
    throw new Problem('forbidden_origin');
  }
  return verdict;
}

/** Reports a request without a valid token, and returns the error for its client. */
function unauthenticated(reason: TokenRefusal): Problem {
  tokenRefused(reason);
  return new Problem('unauthenticated', { detail: `${reason}: ${TOKEN_REFUSALS[reason]}` });
}

/** Returns the buyer's token from the request's cookie, if there is one. */
export function cookieToken(req: IncomingMessage): string | undefined {
  return req.headers.cookie === undefined ? undefined : parseCookie(req.headers.cookie)[TOKEN_COOKIE];
}
