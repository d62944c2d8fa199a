import type { ErrorRequestHandler, Express, Request, RequestHandler, Response } from 'express';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { brokeUnexpectedly, problemSent, storeFailed } from '#core/process/telemetry.js';
import { isRedisPassing } from '#core/redis/connection.js';
import { PROBLEMS, Problem, type ProblemCode, problemBody } from '#core/rules/errors.js';
import { problemPage } from '../pages/problem-page.js';

/** Seconds after which a store that is down may be back. */
const UNAVAILABLE_RETRY_SECONDS = 2;

/** Tells whether a person reads the answer. A program accepts another type, or names none. */
export function wantsHtml(req: Request): boolean {
  return /\btext\/html\b/.test(req.headers.accept ?? '');
}

/**
 * Answers with an error: a page for people, `application/problem+json` for programs.
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

/** Adds the answers to unknown paths and to errors. Both come last, after every route. */
export function addProblems(app: Express): void {
  app.use(answerNotFound);
  app.use(answerError);
}

const answerNotFound: RequestHandler = (req, res) => sendProblem(req, res, new Problem('not_found'));

const answerError: ErrorRequestHandler = (error, req, res, _next) => {
  if (res.headersSent) res.destroy();
  else sendProblem(req, res, problemOf(error));
};

/** Turns an error into a problem. The text of an unexpected error goes to the log only. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isRedisPassing(error)) {
    storeFailed('redis', error);
    return unavailable('Redis');
  }
  if (isDatabaseAway(error)) {
    storeFailed('postgres', error);
    return unavailable('Postgres');
  }
  // Express and its body parsers throw errors with a `status` for requests that they can't read.
  const { status } = error as { status?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500) return new Problem(codeOf(status));
  brokeUnexpectedly('admin', error);
  return new Problem('internal', { detail: 'the log of the admin says more' });
}

function unavailable(store: string): Problem {
  return new Problem('unavailable', {
    detail: `${store} did not answer`,
    retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
  });
}

function codeOf(status: number): ProblemCode {
  if (status === 404) return 'not_found';
  return status === 413 ? 'body_too_large' : 'invalid_request';
}
