import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';

// Reconcile repairs within the promised 15 s only if it comes back to a sale soon.

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** Returns the time after which a sale is due again, in ms, if its comparison took a time in ms. */
function pauseAfter(tookMs: number): number {
  const pace = new Pace();
  pace.compared('drop', tookMs);
  let pausedMs = 0;
  while (!pace.isDue('drop')) {
    jest.advanceTimersByTime(100);
    pausedMs += 100;
  }
  return pausedMs;
}

describe('reconcile compares a sale again', () => {
  test('at once if the process has not compared it yet, whatever other sales took', () => {
    const pace = new Pace();
    pace.compared('other', 60_000);
    expect(pace.isDue('drop')).toBe(true);
    expect(pace.isDue('other')).toBe(false);
  });

  test.each([
    [1, 4_000],
    [200, 4_000],
    [250, 5_000],
    [1_000, 20_000],
    [3_000, 60_000],
    [90_000, 60_000],
  ])('that took %i ms after %i ms', (tookMs, pauseMs) => {
    expect(pauseAfter(tookMs)).toBe(pauseMs);
  });
});
