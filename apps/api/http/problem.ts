import type { ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { problemOf, type StoreFailures } from '#core/http/problem-of.js';
import { problemSent } from '#core/process/telemetry.js';
import { isRedisPassing } from '#core/redis/connection.js';
import { PROBLEMS, Problem, type ProblemCode, type ProblemDetails, problemBody } from '#core/rules/errors.js';
import { headersOfText, sendText } from './reply.js';

/** The store whose failures become 503: Redis, as the API has no database. Answers to buyers do not name it. */
const STORES: StoreFailures[] = [{ store: 'redis', include: isRedisPassing }];

/** Returns the body of a problem document (RFC 9457) as JSON text. */
export function problemText(code: ProblemCode, details: ProblemDetails = {}): string {
  return JSON.stringify(problemBody(code, details));
}

/**
 * A problem whose answer is prepared once and sent many times. Those who send it count it in sums, as counting each in
 * the metrics costs as much as answering.
 */
export class PreparedProblem extends Problem {
  /** The HTTP status. */
  readonly status: number;
  /** The headers as a flat list: name, value, name, value, ... */
  readonly headers: string[];
  readonly text: string;

  /**
   * Prepares the answer of a problem.
   *
   * @param headers headers of the answer besides those that its code and details demand
   */
  constructor(code: ProblemCode, details: ProblemDetails = {}, headers: Record<string, string> = {}) {
    super(code, details);
    this.status = PROBLEMS[code].status;
    this.text = problemText(code, details);
    const all = {
      ...headersOfText('application/problem+json', this.text),
      ...problemHeaders(code, details),
      ...headers,
    };
    this.headers = Object.entries(all).flat().map(String);
  }
}

/** The two refusals that most buyers of a crowd get. */
export const READY = { sold_out: new PreparedProblem('sold_out'), closed: new PreparedProblem('sale_closed') };

/**
 * Sends a prepared problem without counting it.
 *
 * @param res a response of which nothing has been sent yet
 */
export function sendReady(res: ServerResponse, { status, headers, text }: PreparedProblem): void {
  res.writeHead(status, headers);
  res.end(text);
}

/**
 * Sends a problem document (RFC 9457) and counts its code in the metrics.
 *
 * @param res a response of which nothing has been sent yet
 * @param details advice for this one client, such as when to retry
 */
export function sendProblem(res: ServerResponse, code: ProblemCode, details: ProblemDetails = {}): void {
  problemSent(code);
  const text = code === 'sold_out' ? READY.sold_out.text : problemText(code, details);
  const headers = problemHeaders(code, details);
  sendText(res, PROBLEMS[code].status, { type: 'application/problem+json', text, headers });
}

/** Returns the headers that a problem document has besides those of its text. */
export function problemHeaders(code: ProblemCode, details: ProblemDetails): Record<string, string> {
  return {
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
    ...(details.retryAfterSeconds ? { 'retry-after': String(details.retryAfterSeconds) } : {}),
  };
}

/**
 * Returns the problem for an error that was thrown.
 *
 * @param where names the endpoint in log and metric
 * @returns undefined for a request that its client broke off, as nobody reads an answer
 */
export function problemFor(error: unknown, where: string): Problem | undefined {
  return problemOf(error, where, STORES);
}

/** Counts a problem in the metrics, unless it is one that is counted in sums. */
export function countProblem(problem: Problem): void {
  if (!(problem instanceof PreparedProblem)) problemSent(problem.code);
}

/**
 * Sends the problem document for an error that was thrown.
 *
 * @param res a response; if its answer has begun already, or its client has left, its connection is cut
 * @param error the thrown value
 * @param where names the endpoint in log and metric
 */
export function sendError(res: ServerResponse, error: unknown, where: string): void {
  const problem = problemFor(error, where);
  if (!problem || res.headersSent) res.destroy();
  else if (problem instanceof PreparedProblem) sendReady(res, problem);
  else sendProblem(res, problem.code, problem.details);
}

/** Answers errors that the routes' own listeners leave to Express. Express calls this error handler last. */
export const answerError: ErrorRequestHandler = (error, _req, res, _next) => sendError(res, error, 'express');

/** Answers 404 to requests that match no route. */
export const answerNotFound: RequestHandler = (_req, res) => sendProblem(res, 'not_found');

/**
 * Creates the listener that answers 405 to methods that a route doesn't have.
 *
 * @param allow the methods that the route has, for the header `Allow`
 */
export function answerNotAllowed(allow: string): RequestHandler {
  return (_req, res) => {
    res.setHeader('allow', allow);
    sendProblem(res, 'method_not_allowed');
  };
}
