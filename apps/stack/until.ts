import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 15;

/**
 * Asks again and again until the answer is yes.
 * @param holds asked one at a time; it must have a deadline of its own
 * @param deadlineMs how long to go on asking, in milliseconds
 * @returns false when the deadline came first
 */
export async function until(holds: () => Promise<boolean> | boolean, deadlineMs: number): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  while (!(await holds())) {
    if (Date.now() > end) return false;
    await pause(POLL_MS);
  }
  return true;
}
