import { DeadlineExceeded } from './errors.js';

/** A second, in ms. */
export const SECOND_MS = 1_000;
/** A minute, in ms. */
export const MINUTE_MS = 60 * SECOND_MS;
/** A day, in ms. */
export const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Waits for a promise until a deadline. Its work continues after the deadline: the outcome is then unknown, not undone.
 *
 * @param work the promise to await
 * @param limitMs time limit, in ms
 * @param what names the work in the error
 * @throws DeadlineExceeded when the limit passes; also the rejection of `work`
 */
export async function withDeadline<T>(work: Promise<T>, limitMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded(`${what} took longer than ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}
