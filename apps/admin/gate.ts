import { createHash, timingSafeEqual } from 'node:crypto';
import { parseCookie } from 'cookie';
import type { Request, RequestHandler } from 'express';
import { isSameOrigin } from '#core/http/same-origin.js';
import { sessionVerifier } from '#core/identity/token.js';
import { Problem } from '#core/rules/errors.js';
import type { AdminContext } from './context.js';
import { wantsHtml } from './problem.js';

export const SESSION_COOKIE = 'dropline_admin';

const READS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * @param ctx with the admin token
 * @param given what somebody gave
 * @returns whether it is the token; it takes the same time whatever was given
 */
export function isAdminToken(ctx: AdminContext, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(ctx.config.ADMIN_TOKEN));
}

/**
 * Lets operators pass: a browser by the cookie that logging in sets, a program by `Authorization: Bearer` with the admin
 * token. A browser that is neither is sent to the login, a program gets 401.
 *
 * @param ctx with the admin token and the sessions' key
 * @returns the gate; what is mounted after it is for operators only
 */
export function requireLogin(ctx: AdminContext): RequestHandler {
  const isSession = sessionVerifier(ctx.sessionKey);
  return (req, res, next) => {
    const bearer = bearerOf(req);
    const session = parseCookie(req.headers.cookie ?? '')[SESSION_COOKIE];
    if (bearer !== undefined ? isAdminToken(ctx, bearer) : session !== undefined && isSession(session)) return next();
    if (bearer === undefined && wantsHtml(req) && READS.includes(req.method)) return res.redirect(303, '/login');
    throw new Problem('unauthenticated', { detail: 'log in at /login, or send the admin token as a Bearer token' });
  };
}

/**
 * Refuses to change anything for another page that the operator has open. SameSite alone does not: for a cookie, every port
 * of this host is the same site. A request with neither header comes from no browser; without a cookie it may go on.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (READS.includes(req.method)) return next();
  if (isSameOrigin(req.headers) ?? !req.headers.cookie) return next();
  throw new Problem('forbidden_origin', { detail: 'changes are made from the console itself' });
};

function bearerOf(req: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
}
