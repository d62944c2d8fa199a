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

/** Issues a token to anybody, so the page works without a shop. The route only exists with GUEST_TOKENS=1. */
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
    const present = cookieToken(req);
    const buyerId = (present && verifyToken(present)) ?? `guest-${randomUUID()}`;
    const token = issueToken(config.AUTH_SECRET, buyerId);
    const cookie = stringifySetCookie(TOKEN_COOKIE, token, {
      httpOnly: true,
      sameSite: 'strict',
      path: '/',
      maxAge: TOKEN_LIFE_MS / 1_000,
    });
    return { status: 200, body: { buyerId, token }, headers: { 'set-cookie': cookie } };
  },
);
