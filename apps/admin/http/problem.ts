import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { problemOf, type StoreFailures } from '#core/http/problem-of.js';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { problemSent } from '#core/process/telemetry.js';
import { isRedisPassing } from '#core/redis/connection.js';
import { PROBLEMS, Problem, problemBody } from '#core/rules/errors.js';
import { problemPage } from '../pages/problem-page.js';

/** The errors that mean that Redis or Postgres is away, and their answers. Operators learn which of the two failed. */
const STORES: StoreFailures[] = [
  { store: 'redis', include: isRedisPassing, details: { detail: 'Redis did not answer' } },
  { store: 'postgres', include: isDatabaseAway, details: { detail: 'Postgres did not answer' } },
];

/** The answer to an unexpected error. The text of the error itself goes to the log only. */
const INTERNAL = new Problem('internal', { detail: 'the log of the admin says more' });

/**
 * Tells whether a person in a browser sent the request, by `Accept: text/html`. A program accepts another type, or
 * names none.
 */
export function wantsHtml(req: Request): boolean {
  return /\btext\/html\b/.test(req.headers.accept ?? '');
}

/**
 * Answers a request with an error: a page for people, `application/problem+json` for programs.
 *
 * @param res no header has been sent yet
 */
export function sendProblem(req: Request, res: Response, { code, details }: Problem): void {
  problemSent(code);
  res.status(PROBLEMS[code].status);
  if (code === 'unauthenticated') res.setHeader('www-authenticate', 'Bearer');
  if (details.retryAfterSeconds) res.setHeader('retry-after', String(details.retryAfterSeconds));
  if (wantsHtml(req)) res.type('html').send(problemPage(code, details.detail).text);
  else res.type('application/problem+json').send(JSON.stringify(problemBody(code, details)));
}

/**
 * Adds the answers to unknown paths and to errors. Call it after every route was added, as Express tries handlers in
 * order.
 */
export function addProblems(app: Express): void {
  app.use(answerNotFound);
  app.use(answerError);
}

const answerNotFound: RequestHandler = (req, res) => sendProblem(req, res, new Problem('not_found'));

const answerError: ErrorRequestHandler = (error, req, res, _next) => {
  const problem = problemOf(error, 'admin', STORES);
  if (!problem || res.headersSent) res.destroy();
  else sendProblem(req, res, problem.code === 'internal' ? INTERNAL : problem);
};
