import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { problemOf, type StoreFailures } from '#core/http/problem-of.js';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { problemSent } from '#core/process/telemetry.js';
import { isRedisPassing } from '#core/redis/connection.js';
import { PROBLEMS, Problem, problemBody } from '#core/rules/errors.js';
import { problemPage } from './pages/problem-page.js';

/** Operators are told which store failed. */
const STORES: StoreFailures[] = [
  { store: 'redis', include: isRedisPassing, details: { detail: 'Redis did not answer' } },
  { store: 'postgres', include: isDatabaseAway, details: { detail: 'Postgres did not answer' } },
];

/** What an operator is told of an unexpected error. */
const INTERNAL = new Problem('internal', { detail: 'the log of the admin says more' });

/** Whether a person reads the answer. Programs accept other types, or name none. */
export function wantsHtml(req: Request): boolean {
  return /\btext\/html\b/.test(req.headers.accept ?? '');
}

/**
 * Answers with an error: a page for people, `application/problem+json` for programs.
 *
 * @param res a response of which nothing has been sent yet
 */
export function sendProblem(req: Request, res: Response, { code, details }: Problem): void {
  problemSent(code);
  res.status(PROBLEMS[code].status);
  if (code === 'unauthenticated') res.setHeader('www-authenticate', 'Bearer');
  if (details.retryAfterSeconds) res.setHeader('retry-after', String(details.retryAfterSeconds));
  if (wantsHtml(req)) res.type('html').send(problemPage(code, details.detail).text);
  else res.type('application/problem+json').send(JSON.stringify(problemBody(code, details)));
}

/** Answers errors that no route has answered. Express calls this error handler last. */
export const answerError: ErrorRequestHandler = (error, req, res, _next) => {
  const problem = problemOf(error, 'admin', STORES);
  if (res.headersSent) res.destroy();
  else sendProblem(req, res, problem.code === 'internal' ? INTERNAL : problem);
};

/** Answers requests for which there is no route. */
export const answerNotFound: RequestHandler = (req, res) => sendProblem(req, res, new Problem('not_found'));
