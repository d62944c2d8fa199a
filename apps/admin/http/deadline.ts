import type { Request, RequestHandler, Response } from 'express';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';

/** The time-out for answering an operator's request, in ms. */
export const ANSWER_MS = 8 * SECOND_MS;

/**
 * Limits a route handler to ANSWER_MS. A handler that takes longer rejects with DeadlineExceeded; its work continues,
 * and its answer is lost.
 *
 * @param handler answers an operator's request from Redis and Postgres
 */
export function timely<Params extends Record<string, string>>(
  handler: (req: Request<Params>, res: Response) => Promise<unknown>,
): RequestHandler<Params> {
  return (req, res) => withDeadline(handler(req, res), ANSWER_MS, 'answering an operator');
}
