import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a sale whose changes may have been missed is compared as soon again as one that has just changed', () => {
  const pace = new Pace();
  const isDue = () => pace.isDue('drop', { isChanged: false, sales: 1 });
  pace.compared('drop', { tookMs: 1, isChanged: true });
  jest.advanceTimersByTime(3_600_000);
  pace.compared('drop', { tookMs: 1, isChanged: false });
  pace.hurry();
  pace.compared('drop', { tookMs: 1, isChanged: false });
  expect(isDue()).toBe(false);
  jest.advanceTimersByTime(4_000);
  expect(isDue()).toBe(true);
});

test('a round is waited for once sales became due in a hurry after it had begun, but not before 2 s of it', () => {
  const pace = new Pace();
  const beganAtMs = performance.now();
  jest.advanceTimersByTime(1);
  pace.hurry();
  expect(pace.isWaitedFor(beganAtMs)).toBe(false);
  jest.advanceTimersByTime(2_000);
  expect(pace.isWaitedFor(beganAtMs)).toBe(true);
  expect(pace.isWaitedFor(performance.now())).toBe(false);
});

test('a hurry about some sales leaves the others as they were', () => {
  const pace = new Pace();
  for (const id of ['here', 'elsewhere']) pace.compared(id, { tookMs: 1, isChanged: true });
  jest.advanceTimersByTime(1);
  pace.hurry(saleId => saleId === 'here');
  expect(['here', 'elsewhere'].map(id => pace.isDue(id, { isChanged: false, sales: 2 }))).toEqual([true, false]);
});
