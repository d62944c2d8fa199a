import { ServerResponse } from 'node:http';
import { SECOND_MS } from '#core/rules/clock.js';
import { PROBLEMS } from '#core/rules/errors.js';
import { countProblem, problemFor, sendError } from '../http/problem.js';
import { answerWhole, endOutput, type Output } from './output.js';

/** How soon a browser reconnects after it lost a stream, in ms. */
export const RETRY_MS = 2_000;

/**
 * Answers a failed stream. If a later retry helps, the answer tells a browser when to reconnect. A browser gives up a
 * stream for good when it gets anything but 200.
 *
 * @param output the response, if nothing has been sent yet
 */
export function answerTrouble(output: Output, error: unknown): void {
  const problem = problemFor(error, 'stream');
  if (!problem || PROBLEMS[problem.code].retry !== 'after') {
    if (output instanceof ServerResponse) sendError(output, problem ?? error, 'stream');
    else output.destroy();
    return;
  }
  countProblem(problem);
  const retryMs = (problem.details.retryAfterSeconds ?? 0) * SECOND_MS || RETRY_MS;
  // Up to twice the time, so that a crowd whose streams ended together does not come back together.
  const text = `retry: ${Math.ceil(retryMs * (1 + Math.random()))}\n\n`;
  if (output instanceof ServerResponse && !output.headersSent) answerWhole(output, text);
  else endOutput(output, text);
}
