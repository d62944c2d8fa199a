import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** The time after which a sale is due again, in ms, after a comparison that took some ms. */
function pauseAfter(tookMs: number): number {
  const pace = new Pace();
  const startedAtMs = performance.now();
  pace.compared('sale', tookMs);
  while (!pace.isDue('sale')) jest.advanceTimersByTime(1);
  return performance.now() - startedAtMs;
}

test('a sale that was never compared is due', () => expect(new Pace().isDue('sale')).toBe(true));

test('a sale is compared again before reconcile runs for the second time after it', () => {
  // Reconcile runs every 5 s, and repairs have to come within 15 s.
  expect(pauseAfter(0)).toBe(4_000);
  expect(pauseAfter(200)).toBe(4_000);
});

test('a slow comparison is repeated after 20 times as long, and after a minute at most', () => {
  expect(pauseAfter(1_000)).toBe(20_000);
  expect(pauseAfter(10_000)).toBe(60_000);
});

test('a sale does not change the pace of another one', () => {
  const pace = new Pace();
  pace.compared('slow', 10_000);
  pace.compared('quick', 10);
  jest.advanceTimersByTime(4_000);
  expect([pace.isDue('slow'), pace.isDue('quick'), pace.isDue('new')]).toEqual([false, true, true]);
});
