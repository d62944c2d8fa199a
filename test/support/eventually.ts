import { setTimeout } from 'node:timers/promises';

/** It only ends a test that fails, so it allows for a machine that is many times slower. */
const DEADLINE_MS = 60_000;
const POLL_MS = 20;

/**
 * Awaits a fact: repeats an assertion until it holds.
 *
 * @param assertion throws, or rejects, while the fact doesn't hold
 * @param deadlineMs time limit, in ms; 60,000 if not given
 * @returns the value of the assertion
 * @throws the last error of the assertion when the deadline has passed
 */
export async function eventually<T>(assertion: () => T | Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const endsAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= endsAt) throw error;
      await setTimeout(POLL_MS);
    }
  }
}
