import { createHash, timingSafeEqual } from 'node:crypto';
import { parseCookie } from 'cookie';
import type { Request, RequestHandler } from 'express';
import { isSameOrigin } from '#core/http/same-origin.js';
import { createSessionVerifier } from '#core/identity/token.js';
import { Problem } from '#core/rules/errors.js';
import { wantsHtml } from './problem.js';

/** The name of the cookie that holds an operator's session. */
export const SESSION_COOKIE = 'dropline_admin';

/** The secrets that let operators into the admin. */
export interface AdminKeys {
  /** The token that an operator types into the login form, and that a program sends as a Bearer token. */
  readonly adminToken: string;
  /** The key that signs operators' sessions. */
  readonly sessionKey: string;
}

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** Compares a text with the admin token in constant time, so that the duration reveals nothing about the token. */
export function isAdminToken({ adminToken }: AdminKeys, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(adminToken));
}

/**
 * Creates the middleware that lets only operators pass: a browser by the session cookie, a program by `Authorization:
 * Bearer` with the admin token. Other browsers are redirected to the login, other programs get 401.
 *
 * @returns the middleware; routes that are mounted after it are for operators only
 */
export function requireLogin(keys: AdminKeys): RequestHandler {
  const isSession = createSessionVerifier(keys.sessionKey);
  return (req, res, next) => {
    const bearer = bearerOf(req);
    const session = parseCookie(req.headers.cookie ?? '')[SESSION_COOKIE];
    if (bearer !== undefined ? isAdminToken(keys, bearer) : session !== undefined && isSession(session)) return next();
    if (bearer === undefined && wantsHtml(req) && READS.includes(req.method)) return res.redirect(303, '/login');
    throw new Problem('unauthenticated', { detail: 'log in at /login, or send the admin token as a Bearer token' });
  };
}

/**
 * Refuses changes that a page of another origin requests through the operator's browser (CSRF). SameSite cookies don't
 * prevent them: for a cookie, all ports of a host are one site. A request without Origin and Sec-Fetch-Site comes from
 * a program, and passes if it has no cookie.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (READS.includes(req.method)) return next();
  if (isSameOrigin(req.headers) ?? !req.headers.cookie) return next();
  throw new Problem('forbidden_origin', { detail: 'changes are made from the console itself' });
};

function bearerOf(req: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
}
