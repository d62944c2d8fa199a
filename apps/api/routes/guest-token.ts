import { randomUUID } from 'node:crypto';
import { stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { isSameOrigin } from '#core/http/same-origin.js';
import { issueToken, TOKEN_LIFE_MS } from '#core/identity/token.js';
import { Problem } from '#core/rules/errors.js';
import { cookieToken, TOKEN_COOKIE, type VerifyToken } from '../http/buyer.js';
import { publicEndpoint } from '../http/endpoint.js';

interface GuestTokenParts {
  readonly config: { readonly AUTH_SECRET: string };
  readonly verifyToken: VerifyToken;
}

interface Visitor {
  buyerId: string;
  token: string;
}

/**
 * Issues a buyer's token to anybody, so that the page works without a shop. The route exists only with GUEST_TOKENS=1.
 */
export const guestToken = publicEndpoint(
  {
    method: 'post',
    path: '/guest-token',
    summary: 'Become a buyer, for trying things out',
    replies: {
      200: {
        description: 'A token, also set as a cookie; the same buyer again for a browser that is one already',
        body: z.object({ buyerId: z.string(), token: z.string() }),
      },
    },
    problems: ['forbidden_origin'],
  },
  async ({ config, verifyToken }: GuestTokenParts, _input, req) => {
    if (isSameOrigin(req.headers) === false) throw new Problem('forbidden_origin');
    const { buyerId, token } = visitorOf(cookieToken(req), { config, verifyToken });
    const cookie = stringifySetCookie(TOKEN_COOKIE, token, {
      httpOnly: true,
      sameSite: 'strict',
      path: '/',
      maxAge: TOKEN_LIFE_MS / 1_000,
    });
    return { status: 200, body: { buyerId, token }, headers: { 'set-cookie': cookie } };
  },
);

/** Returns the buyer whom a valid token names, with the same token, or else a new buyer. */
function visitorOf(token: string | undefined, { config, verifyToken }: GuestTokenParts): Visitor {
  const verdict = token === undefined ? undefined : verifyToken(token);
  if (token !== undefined && verdict?.kind === 'buyer') return { buyerId: verdict.buyerId, token };
  const buyerId = `guest-${randomUUID()}`;
  return { buyerId, token: issueToken(config.AUTH_SECRET, buyerId) };
}
