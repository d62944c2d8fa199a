import { stringifySetCookie } from 'cookie';
import type { Express, Request, Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import { issueSession, SESSION_LIFE_MS } from '#core/identity/token.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import type { AdminContext } from '../context.js';
import { isAdminToken, SESSION_COOKIE } from '../gate.js';
import { loginPage } from '../pages/login-page.js';
import { sendProblem, wantsHtml } from '../problem.js';

/** A person mistypes a few times. What keeps a guesser out is the token itself, here and as a Bearer: 16 characters at least. */
const FAILURES_MAX = 10;

/**
 * @param app gets `/login` and `/logout`
 * @param ctx with the admin token and the sessions' key
 */
export function addLogin(app: Express, ctx: AdminContext): void {
  app.get('/login', (_req, res) => void res.type('html').send(loginPage().text));
  app.post('/login', limitFailures, (req, res) => {
    if (!isAdminToken(ctx, String(req.body?.token ?? ''))) return refuse(req, res);
    setCookie(req, res, issueSession(ctx.sessionKey), SESSION_LIFE_MS / SECOND_MS);
    res.redirect(303, '/');
  });
  app.post('/logout', (req, res) => {
    setCookie(req, res, '', 0);
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

/** Strict: not even a link from another site brings the session along. Secure wherever the browser came by TLS. */
function setCookie(req: Request, res: Response, value: string, maxAge: number): void {
  const secure = req.secure || req.headers['x-forwarded-proto'] === 'https';
  const attributes = { httpOnly: true, sameSite: 'strict', path: '/', maxAge, secure } as const;
  res.setHeader('set-cookie', stringifySetCookie({ name: SESSION_COOKIE, value, ...attributes }));
}
