import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Waiter } from '../../../../apps/api/waiting/waiter.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const HOUR_MS = 3_600_000;

/** A waiter, and how often it has left. */
function open() {
  const seen = { left: 0 };
  const waiter = new Waiter(0, () => {
    seen.left += 1;
  });
  return { waiter, seen };
}

test('news that comes before the wait ends it at once, and only once', async () => {
  const { waiter } = open();
  waiter.wake();
  waiter.wake();
  expect(await waiter.next(HOUR_MS)).toBe('news');
  const waits = waiter.next(1_000);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await waits).toBe('timeout');
});

test('news that comes during the wait ends it, and leaves no timer', async () => {
  const { waiter } = open();
  const waits = waiter.next(HOUR_MS);
  waiter.wake();
  expect(await waits).toBe('news');
  expect(jest.getTimerCount()).toBe(0);
});

test.each([0, -5])('a wait of %i ms has news or is over', async limitMs => {
  const { waiter } = open();
  expect(await waiter.next(limitMs)).toBe('timeout');
  waiter.wake();
  expect(await waiter.next(limitMs)).toBe('news');
});

test('the end of a waiter counts more than news, and comes once', async () => {
  const { waiter, seen } = open();
  const waits = waiter.next(HOUR_MS);
  waiter.wake();
  waiter.replace();
  waiter.leave();
  expect([await waits, await waiter.next(HOUR_MS)]).toEqual(['replaced', 'replaced']);
  expect([seen.left, jest.getTimerCount()]).toEqual([1, 0]);
});

test('a waiter that has left stays left', async () => {
  const { waiter, seen } = open();
  waiter.leave();
  waiter.replace();
  waiter.wake();
  expect(await waiter.next(HOUR_MS)).toBe('left');
  expect(seen.left).toBe(1);
});
