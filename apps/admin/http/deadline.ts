import type { Request, RequestHandler, Response } from 'express';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';

/** Every answer comes within this time, in ms. */
const ANSWER_MS = 8 * SECOND_MS;

/**
 * Gives a handler the deadline of every answer. A handler that misses the deadline rejects with DeadlineExceeded, and its
 * work continues unseen.
 *
 * @param handler answers an operator from the stores
 */
export function timely<Params extends Record<string, string>>(
  handler: (req: Request<Params>, res: Response) => Promise<unknown>,
): RequestHandler<Params> {
  return (req, res) => withDeadline(handler(req, res), ANSWER_MS, 'answering an operator');
}
