import { DeadlineExceeded } from './errors.js';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;

/**
 * Waits for a promise, but not for ever. The work itself goes on: its outcome is unknown, not undone.
 *
 * @param work the promise to wait for
 * @param limitMs how long, in ms
 * @param what named in the error
 * @returns what the promise returns
 * @throws DeadlineExceeded when it takes longer; and whatever the promise rejects with
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

/**
 * @param limitMs how long to wait, in ms
 * @param signal ends the wait early
 * @returns after that time, or at once when the signal fires
 */
export function pause(limitMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, limitMs);
    signal?.addEventListener('abort', end);
  });
}
