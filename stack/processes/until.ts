import { setTimeout } from 'node:timers/promises';

/** A look costs little, and most facts of a local process hold within a few of these. */
const LOOK_EVERY_MS = 15;

/**
 * Waits until a fact holds.
 *
 * @param holds is asked again and again, one call at a time; a call must have a deadline of its own
 * @param deadlineMs after this time the wait is over, in ms
 * @param everyMs the time from one answer to the next question, in ms
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
 * Waits until nothing is left.
 *
 * @param left names what is left; it is asked as `holds` of {@link until} is
 * @param deadlineMs after this time the wait is over, in ms
 * @param everyMs the time from one answer to the next question, in ms
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
