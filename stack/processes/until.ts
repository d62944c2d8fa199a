import { setTimeout } from 'node:timers/promises';

const LOOK_EVERY_MS = 15;

/**
 * Asks again and again until the answer is yes.
 *
 * @param holds asked one at a time; it must have a deadline of its own
 * @param deadlineMs how long to go on asking, in ms
 * @param everyMs from one answer to the next question, in ms
 * @returns false when the deadline came first
 */
export async function until(
  holds: () => Promise<boolean> | boolean,
  deadlineMs: number,
  everyMs = LOOK_EVERY_MS,
): Promise<boolean> {
  const endsAt = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > endsAt) return false;
    await setTimeout(everyMs);
  }
  return true;
}

/**
 * Asks what is left again and again, until nothing is.
 *
 * @param left asked one at a time; it must have a deadline of its own
 * @param deadlineMs how long to go on asking, in ms
 * @param everyMs from one answer to the next question, in ms
 * @returns what was left at the last look: nothing, unless the deadline came first
 */
export async function untilNoneLeft(
  left: () => Promise<string[]> | string[],
  deadlineMs: number,
  everyMs?: number,
): Promise<string[]> {
  let last: string[] = [];
  const none = async () => {
    last = await left();
    return last.length === 0;
  };
  await until(none, deadlineMs, everyMs);
  return last;
}
