import { randomUUID } from 'node:crypto';
import { stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { isSameOrigin } from '#core/http/same-origin.js';
import { issueToken, TOKEN_LIFE_MS, type TokenVerifier } from '#core/identity/token.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { cookieToken, TOKEN_COOKIE } from '../http/buyer.js';
import { publicEndpoint } from '../http/endpoint.js';

interface GuestTokenParts {
  readonly config: { readonly AUTH_SECRET: string };
  readonly verifyToken: TokenVerifier;
}

/** The ids of guests, who are buyers by this route alone. */
const GUEST = /^guest-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Issues a buyer's token to anybody, so that the page works without a shop, and renews a guest's token while it is
 * valid. The route exists only with GUEST_TOKENS=1.
 */
export const guestToken = publicEndpoint(
  {
    method: 'post',
    path: '/guest-token',
    summary: 'Become a buyer, for trying things out',
    replies: {
      200: {
        description:
          'A guest’s token for a day, also set as a cookie. A browser with a valid token stays the same buyer; a buyer of the shop gets the shop’s token back, and no cookie',
        body: z.object({ buyerId: z.string(), token: z.string() }),
      },
    },
    problems: ['forbidden_origin'],
  },
  async ({ config, verifyToken }: GuestTokenParts, _input, req) => {
    if (isSameOrigin(req.headers) === false) throw new Problem('forbidden_origin');
    const token = cookieToken(req);
    const verdict = token === undefined ? undefined : verifyToken(token);
    const buyerId = verdict?.kind === 'buyer' ? verdict.buyerId : `guest-${randomUUID()}`;
    // A buyer of the shop keeps the shop's token and cookie. Only the shop decides how long they live.
    if (token !== undefined && !GUEST.test(buyerId)) return { status: 200, body: { buyerId, token } };
    const fresh = issueToken(config.AUTH_SECRET, buyerId);
    return { status: 200, body: { buyerId, token: fresh }, headers: { 'set-cookie': cookieOf(fresh) } };
  },
);

/** Returns a cookie that lives as long as the token in it. */
function cookieOf(token: string): string {
  return stringifySetCookie(TOKEN_COOKIE, token, {
    httpOnly: true,
    sameSite: 'strict',
    path: '/',
    maxAge: TOKEN_LIFE_MS / SECOND_MS,
  });
}
