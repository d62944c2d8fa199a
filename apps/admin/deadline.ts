import { SECOND_MS, withDeadline } from '#core/clock.js';

/** Every answer comes within this time, in ms. */
const ANSWER_MS = 8 * SECOND_MS;

/**
 * @param work what an operator waits for
 * @returns its result
 * @throws DeadlineExceeded when it takes too long, or what it throws
 */
export function inTime<T>(work: Promise<T>): Promise<T> {
  return withDeadline(work, ANSWER_MS, 'answering an operator');
}
