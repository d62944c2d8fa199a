import type { ServerResponse } from 'node:http';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { brokeUnexpectedly, problemSent, storeFailed } from '#core/process/telemetry.js';
import { isRedisPassing } from '#core/redis/connection.js';
import { PROBLEMS, Problem, type ProblemCode, type ProblemDetails, problemBody } from '#core/rules/errors.js';
import { headersOfText, sendText } from './reply.js';

/** Seconds after which a store is likely to be back: it reconnects within one and is verified within another. */
const UNAVAILABLE_RETRY_SECONDS = 2;

/**
 * @param code what is wrong
 * @param details what this caller can do about it
 * @returns the text of the answer, as RFC 9457 has it
 */
export function problemText(code: ProblemCode, details: ProblemDetails = {}): string {
  return JSON.stringify(problemBody(code, details));
}

/** What the crowd gets is made once. */
const READY = { sold_out: readyProblem('sold_out'), closed: readyProblem('sale_closed') };

function readyProblem(code: ProblemCode): { status: number; headers: string[]; text: string } {
  const text = problemText(code);
  const headers = Object.entries(headersOfText('application/problem+json', text)).flat().map(String);
  return { status: PROBLEMS[code].status, headers, text };
}

/**
 * Answers a buyer who was refused from memory, as cheaply as can be. It is counted by whoever refused.
 *
 * @param res nothing has been sent yet
 * @param refusal why
 */
export function sendReady(res: ServerResponse, refusal: keyof typeof READY): void {
  const { status, headers, text } = READY[refusal];
  res.writeHead(status, headers);
  res.end(text);
}

/**
 * Answers with an error.
 *
 * @param res nothing has been sent yet
 * @param code what is wrong
 * @param details what this caller can do about it
 */
export function sendProblem(res: ServerResponse, code: ProblemCode, details: ProblemDetails = {}): void {
  problemSent(code);
  const text = code === 'sold_out' ? READY.sold_out.text : problemText(code, details);
  sendText(res, PROBLEMS[code].status, 'application/problem+json', text, headersOf(code, details));
}

/**
 * @param code what is wrong
 * @param details what this caller can do about it
 * @returns the headers that go with it, besides those of its body
 */
export function headersOf(code: ProblemCode, details: ProblemDetails): Record<string, string> {
  return {
    ...(code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
    ...(details.retryAfterSeconds ? { 'retry-after': String(details.retryAfterSeconds) } : {}),
  };
}

/**
 * Answers with the error that something thrown amounts to. What nobody expected is logged here and only here, and its
 * text stays here.
 *
 * @param res the response; if its answer has begun it can only be cut off
 * @param error what was thrown
 * @param where names the endpoint in log and metric
 */
export function sendError(res: ServerResponse, error: unknown, where: string): void {
  const problem = toProblem(error, where);
  if (res.headersSent) res.destroy();
  else sendProblem(res, problem.code, problem.details);
}

function toProblem(error: unknown, where: string): Problem {
  if (error instanceof Problem) return error;
  if (isRedisPassing(error)) {
    storeFailed('redis', error);
    return new Problem('unavailable', { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS });
  }
  // Express says so when it can't decode a path, or a static file is asked for in a way that is not allowed.
  const { status } = error as { status?: unknown };
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new Problem(status === 404 ? 'not_found' : 'invalid_request');
  }
  brokeUnexpectedly(where, error);
  return new Problem('internal');
}

/** The last of Express's error handlers. */
export const answerError: ErrorRequestHandler = (error, _req, res, _next) => sendError(res, error, 'express');

export const answerNotFound: RequestHandler = (_req, res) => sendProblem(res, 'not_found');

/**
 * @param allow the methods there are, for the header
 * @returns answers every other method
 */
export function answerNotAllowed(allow: string): RequestHandler {
  return (_req, res) => {
    res.setHeader('allow', allow);
    sendProblem(res, 'method_not_allowed');
  };
}
