import { setTimeout } from 'node:timers/promises';

/**
 * Pauses for a time, or until the signal fires. Node's own timer rejects when its signal fires.
 *
 * @param limitMs how long, in ms
 * @param signal ends the pause early
 */
export async function pauseUntil(limitMs: number, signal: AbortSignal): Promise<void> {
  await setTimeout(limitMs, undefined, { signal }).catch(error => {
    if (!signal.aborted) throw error;
  });
}
