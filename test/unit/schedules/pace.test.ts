import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';

// Reconcile repairs within the promised 15 s only if it comes back soon to a sale that changes.

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Returns the time until a sale is due, in ms. */
function pauseOf(pace: Pace, isChanged: boolean, stepMs = 100): number {
  let pausedMs = 0;
  while (!pace.isDue('drop', { isChanged, sales: 1 })) {
    jest.advanceTimersByTime(stepMs);
    pausedMs += stepMs;
  }
  return pausedMs;
}

describe('reconcile compares a sale that changes again', () => {
  test('at once if the process has not compared it yet, whatever other sales took', () => {
    const pace = new Pace();
    pace.compared('other', { tookMs: 60_000, isChanged: true });
    const seen = { isChanged: true, sales: 10_000 };
    expect(pace.isDue('drop', seen)).toBe(true);
    expect(pace.isDue('other', seen)).toBe(false);
  });

  test.each([
    [1, 4_000],
    [200, 4_000],
    [250, 5_000],
    [1_000, 20_000],
    [3_000, 60_000],
    [90_000, 60_000],
  ])('that took %i ms after %i ms', (tookMs, pauseMs) => {
    const pace = new Pace();
    pace.compared('drop', { tookMs, isChanged: true });
    expect(pauseOf(pace, true)).toBe(pauseMs);
  });

  test('as soon, also after an hour without a change', () => {
    const pace = new Pace();
    pace.compared('drop', { tookMs: 1, isChanged: true });
    jest.advanceTimersByTime(HOUR_MS);
    pace.compared('drop', { tookMs: 1, isChanged: false });
    expect(pauseOf(pace, true)).toBe(4_000);
  });
});

describe('reconcile compares a quiet sale again', () => {
  test('after as long as it has been quiet, and after an hour at most', () => {
    const pace = new Pace();
    pace.compared('drop', { tookMs: 1, isChanged: true });
    const pauses: number[] = [];
    for (let i = 0; i < 14; i += 1) {
      pauses.push(pauseOf(pace, false));
      pace.compared('drop', { tookMs: 1, isChanged: false });
    }
    expect(pauses.slice(0, 5)).toEqual([4_000, 4_000, 8_000, 16_000, 32_000]);
    expect(pauses.at(-1)).toBe(HOUR_MS);
  });

  test('at once after its changes may have been missed', () => {
    const pace = new Pace();
    pace.compared('drop', { tookMs: 1, isChanged: true });
    jest.advanceTimersByTime(HOUR_MS);
    pace.compared('drop', { tookMs: 1, isChanged: false });
    pace.hurry();
    expect(pauseOf(pace, false)).toBe(0);
  });

  test('for the first time at once if there is no other, and else spread', () => {
    expect(pauseOf(new Pace(), false)).toBe(0);
    const pace = new Pace();
    const ids = Array.from({ length: 10_000 }, (_, i) => `sale-${i}`);
    const due = () => ids.filter(id => pace.isDue(id, { isChanged: false, sales: ids.length })).length;
    expect(due()).toBeLessThan(100);
    // 300 ms for each sale.
    jest.advanceTimersByTime(1_500_000);
    expect(due()).toBeGreaterThan(4_500);
    expect(due()).toBeLessThan(5_500);
  });
});
