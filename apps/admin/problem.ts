import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { isDatabaseAway } from '#core/postgres/failure.js';
import { brokeUnexpectedly, problemSent, storeFailed } from '#core/process/telemetry.js';
import { isRedisPassing } from '#core/redis/connection.js';
import { PROBLEMS, Problem, type ProblemCode, problemBody } from '#core/rules/errors.js';
import { problemPage } from './pages/problem-page.js';

/** Seconds after which a store that is away may be back. */
const UNAVAILABLE_RETRY_SECONDS = 2;

/**
 * @param req a request
 * @returns whether a person reads the answer; programs say what they accept, or nothing
 */
export function wantsHtml(req: Request): boolean {
  return /\btext\/html\b/.test(req.headers.accept ?? '');
}

/**
 * Answers with an error: a page for people, `application/problem+json` for programs.
 *
 * @param req the request
 * @param res nothing has been sent yet
 * @param problem what is wrong
 */
export function sendProblem(req: Request, res: Response, { code, details }: Problem): void {
  problemSent(code);
  res.status(PROBLEMS[code].status);
  if (code === 'unauthenticated') res.setHeader('www-authenticate', 'Bearer');
  if (details.retryAfterSeconds) res.setHeader('retry-after', String(details.retryAfterSeconds));
  if (wantsHtml(req)) res.type('html').send(problemPage(code, details.detail).text);
  else res.type('application/problem+json').send(JSON.stringify(problemBody(code, details)));
}

/** The last of the error handlers; what nobody expected is logged here, and its text stays here. */
export const answerError: ErrorRequestHandler = (error, req, res, _next) => {
  if (res.headersSent) res.destroy();
  else sendProblem(req, res, problemOf(error));
};

export const answerNotFound: RequestHandler = (req, res) => sendProblem(req, res, new Problem('not_found'));

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
  // Express and its body parsers say so when they can't read a request.
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
