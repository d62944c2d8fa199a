import { parseCookie } from 'cookie';
import type { Request, RequestHandler, Response } from 'express';
import { isSameOrigin } from '#core/http/same-origin.js';
import type { Operator, Operators } from '#core/identity/operators.js';
import type { Session, Sessions } from '#core/identity/session.js';
import { Problem } from '#core/rules/errors.js';
import { isRead, setOperator } from './caller.js';
import { wantsHtml } from './problem.js';
import type { Revocations } from './revocations.js';

/** The name of the cookie that holds an operator's session. */
export const SESSION_COOKIE = 'dropline_admin';

/** The parts of the admin process that let operators in. */
export interface GateParts {
  readonly operators: Operators;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  /** Counts and logs a wrong token, and refuses it (apps/admin/http/wrong-tokens.ts). */
  readonly refuseToken: (req: Request, res: Response, refuse: () => void) => Promise<void>;
}

/**
 * Creates the middleware that lets only operators pass: a browser by the session cookie, a program by `Authorization:
 * Bearer` with its token. Other browsers are redirected to the login, other programs get 401.
 *
 * @returns the middleware; routes that are mounted after it are for operators only
 */
export function requireLogin(gate: GateParts): RequestHandler {
  return async (req, res, next) => {
    const bearer = bearerOf(req);
    const operator = bearer === undefined ? await operatorOfSession(gate, req) : gate.operators.withToken(bearer);
    if (operator) {
      setOperator(res, operator);
      return next();
    }
    const refusal = new Problem('unauthenticated', { detail: 'log in at /login, or send a valid Bearer token' });
    if (bearer !== undefined) return gate.refuseToken(req, res, () => next(refusal));
    if (wantsHtml(req) && isRead(req)) return res.redirect(303, '/login');
    throw refusal;
  };
}

/** Reads the session in the cookie of a request, which may be revoked. */
export function sessionOf({ sessions }: GateParts, req: Request): Session | undefined {
  const text = parseCookie(req.headers.cookie ?? '')[SESSION_COOKIE];
  return text === undefined ? undefined : sessions.read(text);
}

async function operatorOfSession(gate: GateParts, req: Request): Promise<Operator | undefined> {
  const session = sessionOf(gate, req);
  if (!session || (await gate.revocations.includes(session, isRead(req) ? 'read' : 'change'))) return undefined;
  return session.operator;
}

/**
 * Refuses changes that a page of another origin requests through the operator's browser (CSRF). SameSite cookies don't
 * prevent them: for a cookie, all ports of a host are one site. A request without Origin and Sec-Fetch-Site comes from
 * a program, and passes if it has no cookie.
 */
export const requireSameOrigin: RequestHandler = (req, _res, next) => {
  if (isRead(req)) return next();
  if (isSameOrigin(req.headers) ?? !req.headers.cookie) return next();
  throw new Problem('forbidden_origin', { detail: 'changes are made from the console itself' });
};

function bearerOf(req: Request): string | undefined {
  return /^Bearer (.+)$/i.exec(req.headers.authorization ?? '')?.[1];
}
