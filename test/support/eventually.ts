import { setTimeout as pause } from 'node:timers/promises';

const DEADLINE_MS = 10_000;
const POLL_MS = 20;

/**
 * Awaits a fact: tries again until the assertion holds.
 *
 * @param assertion throws, or rejects, while the fact doesn't hold
 * @param deadlineMs how long to try, in ms
 * @returns what the assertion returns
 * @throws the assertion's last error when the deadline has passed
 */
export async function eventually<T>(assertion: () => T | Promise<T>, deadlineMs = DEADLINE_MS): Promise<T> {
  const endsAt = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= endsAt) throw error;
      await pause(POLL_MS);
    }
  }
}
