import { createHash, timingSafeEqual } from 'node:crypto';
import { parseCookie } from 'cookie';
import type { Request, RequestHandler } from 'express';
import { isSameOrigin } from '#core/http/same-origin.js';
import { createSessionVerifier } from '#core/identity/token.js';
import { Problem } from '#core/rules/errors.js';
import { wantsHtml } from './problem.js';

/** The cookie that holds the session of an operator. */
export const SESSION_COOKIE = 'dropline_admin';

/** The secrets that let operators in. */
export interface AdminKeys {
  /** Typed into the login form, or sent as a Bearer token. */
  readonly adminToken: string;
  /** Signs the sessions. */
  readonly sessionKey: string;
}

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** Compares a text with the admin token. Every comparison takes the same time. */
export function isAdminToken({ adminToken }: AdminKeys, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(adminToken));
}

/**
 * Lets operators pass: a browser by the session cookie, a program by `Authorization: Bearer` with the admin token. Other
 * browsers are redirected to the login, other programs get 401.
 *
 * @returns the gate; routes that are mounted after the gate are for operators only
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
 * Refuses changes that another page in the operator's browser asks for. SameSite alone doesn't: for a cookie, all ports of
 * a host are one site. A request without Origin and Sec-Fetch-Site comes from a program, and passes if it has no cookie.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (READS.includes(req.method)) return next();
  if (isSameOrigin(req.headers) ?? !req.headers.cookie) return next();
  throw new Problem('forbidden_origin', { detail: 'changes are made from the console itself' });
};

function bearerOf(req: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
}
