import type { Request, RequestHandler, Response } from 'express';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';

/** Every answer comes within this time, in ms. */
const ANSWER_MS = 8 * SECOND_MS;

/**
 * @param handler answers an operator from the stores
 * @returns the same, but one that takes too long rejects with DeadlineExceeded; what it does goes on
 */
export function timely<Params extends Record<string, string>>(
  handler: (req: Request<Params>, res: Response) => Promise<unknown>,
): RequestHandler<Params> {
  return (req, res) => withDeadline(handler(req, res), ANSWER_MS, 'answering an operator');
}
