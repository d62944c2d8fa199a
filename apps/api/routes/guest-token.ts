import { randomUUID } from 'node:crypto';
import { stringifySetCookie } from 'cookie';
import { z } from 'zod';
import { isSameOrigin } from '#core/http/same-origin.js';
import { issueToken, TOKEN_LIFE_MS } from '#core/identity/token.js';
import { Problem } from '#core/rules/errors.js';
import { cookieToken, TOKEN_COOKIE } from '../http/buyer.js';
import { publicEndpoint } from '../http/endpoint.js';

/** Makes the page usable without a shop around it. It exists only where GUEST_TOKENS=1 says so: a guest is anybody. */
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
  async (ctx, _input, req) => {
    if (isSameOrigin(req.headers) === false) throw new Problem('forbidden_origin');
    const present = cookieToken(req);
    const buyerId = (present && ctx.verifyToken(present)) ?? `guest-${randomUUID()}`;
    const token = issueToken(ctx.config.AUTH_SECRET, buyerId);
    const cookie = stringifySetCookie(TOKEN_COOKIE, token, {
      httpOnly: true,
      sameSite: 'strict',
      path: '/',
      maxAge: TOKEN_LIFE_MS / 1_000,
    });
    return { status: 200, body: { buyerId, token }, headers: { 'set-cookie': cookie } };
  },
);
