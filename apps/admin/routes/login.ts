import { stringifySetCookie } from 'cookie';
import type { Express, Request, Response } from 'express';
import { SESSION_LIFE_MS } from '#core/identity/session.js';
import { operatorLogged } from '#core/process/telemetry.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { callerOf, setOperator } from '../http/caller.js';
import { type GateParts, SESSION_COOKIE, sessionOf } from '../http/gate.js';
import { sendProblem, wantsHtml } from '../http/problem.js';
import { loginPage } from '../pages/login-page.js';

/** Adds `/login` and `/logout`, for operators who use a browser. */
export function addLogin(app: Express, gate: GateParts): void {
  app.get('/login', (_req, res) => void res.type('html').send(loginPage().text));
  app.post('/login', async (req, res) => {
    const operator = gate.operators.withToken(String(req.body?.token ?? ''));
    if (!operator) return gate.refuseToken(req, res, () => refuse(req, res));
    setOperator(res, operator);
    operatorLogged('in', callerOf(res));
    setCookie(req, res, { value: gate.sessions.issue(operator), maxAge: SESSION_LIFE_MS / SECOND_MS });
    res.redirect(303, '/');
  });
  app.post('/logout', async (req, res) => {
    const session = sessionOf(gate, req);
    if (session) {
      // While Postgres is away this fails, and the browser keeps the cookie: the operator can repeat the logout.
      await gate.revocations.add(session);
      setOperator(res, session.operator);
      operatorLogged('out', callerOf(res));
    }
    setCookie(req, res, { value: '', maxAge: 0 });
    res.redirect(303, '/login');
  });
}

function refuse(req: Request, res: Response): void {
  if (wantsHtml(req)) res.status(401).type('html').send(loginPage('This is not the token of an operator.').text);
  else sendProblem(req, res, new Problem('unauthenticated', { detail: 'this is not the token of an operator' }));
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
