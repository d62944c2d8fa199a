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
