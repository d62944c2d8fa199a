import { stringifySetCookie } from 'cookie';
import type { Express, Request, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { issueSession, SESSION_LIFE_MS } from '#core/identity/token.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { type AdminKeys, isAdminToken, SESSION_COOKIE } from '../http/gate.js';
import { sendProblem, wantsHtml } from '../http/problem.js';
import { loginPage } from '../pages/login-page.js';

/**
 * The most logins with a wrong admin token per minute and client: room for a few typing errors. The length of the
 * token, at least 16 characters, protects against guessing. Bearer tokens have no limit of tries.
 */
const FAILURES_MAX = 10;

/** Adds `/login` and `/logout`, for operators who use a browser. */
export function addLogin(app: Express, keys: AdminKeys): void {
  app.get('/login', (_req, res) => void res.type('html').send(loginPage().text));
  app.post('/login', limitFailures, (req, res) => {
    if (!isAdminToken(keys, String(req.body?.token ?? ''))) return refuse(req, res);
    setCookie(req, res, { value: issueSession(keys.sessionKey), maxAge: SESSION_LIFE_MS / SECOND_MS });
    res.redirect(303, '/');
  });
  app.post('/logout', (req, res) => {
    setCookie(req, res, { value: '', maxAge: 0 });
    res.redirect(303, '/login');
  });
}

const limitFailures = rateLimit({
  windowMs: MINUTE_MS,
  limit: FAILURES_MAX,
  skipSuccessfulRequests: true,
  standardHeaders: 'draft-8',
  legacyHeaders: false,
  handler: (req, res) => {
    const detail = 'too many wrong tokens: wait a minute';
    sendProblem(req, res, new Problem('too_many_requests', { detail, retryAfterSeconds: MINUTE_MS / SECOND_MS }));
  },
});

function refuse(req: Request, res: Response): void {
  if (wantsHtml(req)) res.status(401).type('html').send(loginPage('This is not the admin token.').text);
  else sendProblem(req, res, new Problem('unauthenticated', { detail: 'this is not the admin token' }));
}

/**
 * Sets the cookie that holds an operator's session. SameSite is strict, so that not even a link from another site sends
 * the cookie. Secure is set if the browser uses HTTPS, which a proxy reports in `X-Forwarded-Proto`.
 *
 * @param session `maxAge` in s
 */
function setCookie(req: Request, res: Response, session: { value: string; maxAge: number }): void {
  const secure = req.secure || req.headers['x-forwarded-proto'] === 'https';
  const attributes = { httpOnly: true, sameSite: 'strict', path: '/', secure } as const;
  res.setHeader('set-cookie', stringifySetCookie({ name: SESSION_COOKIE, ...session, ...attributes }));
}
