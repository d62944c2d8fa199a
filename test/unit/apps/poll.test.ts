import { describe, expect, test } from '@jest/globals';
import { pollAfterMs, pollTimesOf } from '../../../apps/api/answers/poll.js';
import { nextSlowdown } from '../../../apps/api/load/slowdown.js';
import type { RecentSale } from '../../../apps/api/mirror/sales.js';

const HOUR_S = 3_600;
const many = (...args: Parameters<typeof pollAfterMs>) =>
  Array.from({ length: 200 }, () => Number(pollAfterMs(...args)));

describe('the pause before the next poll', () => {
  test('is spread between the shortest pause and twice as long', () => {
    const pauses = many('standby', 1, { payWithinSeconds: HOUR_S });
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2_500);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  test('grows with the slowdown, up to half a minute', () => {
    expect(Math.min(...many('queued', 4, { payWithinSeconds: HOUR_S }))).toBeGreaterThanOrEqual(1_600);
    expect(Math.max(...many('standby', 16, { payWithinSeconds: HOUR_S }))).toBeLessThanOrEqual(30_000);
  });

  test.each([1, 16])('lets a promoted buyer poll four times within the time to pay (slowdown %i)', slowdown => {
    for (const status of ['standby', 'queued', 'pending_payment'] as const) {
      expect(Math.max(...many(status, slowdown, { payWithinSeconds: 8 }))).toBeLessThanOrEqual(2_000);
    }
  });

  test('goes by the shorter time to pay, in a sale that has one for units that came back', () => {
    const sale = { opensAtMs: 0, nowMs: 1, readAtMs: 0, payWithinSeconds: HOUR_S, retryPayWithinSeconds: 8 };
    const times = pollTimesOf(sale as RecentSale, 1);
    expect(Math.max(...many('standby', 16, times))).toBeLessThanOrEqual(2_000);
  });

  test.each(['none', 'paid', 'cancelled', 'rejected', 'refunded', 'closed'] as const)(
    'does not exist for the final status %s',
    status => {
      expect(pollAfterMs(status, 1)).toBeUndefined();
    },
  );
});

describe('the pause of a buyer who joined', () => {
  const MINUTE_MS = 60_000;

  test('is minutes long before the opening, however idle or busy the process is', () => {
    for (const slowdown of [1, 16]) {
      const pauses = many('joined', slowdown, { opensInMs: 600 * MINUTE_MS });
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(5 * MINUTE_MS);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(10 * MINUTE_MS);
      expect(new Set(pauses).size).toBeGreaterThan(100);
    }
  });

  test('ends a moment after the opening once that is near, and not for all at once', () => {
    const pauses = many('joined', 1, { opensInMs: 10 * MINUTE_MS, payWithinSeconds: HOUR_S });
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(10 * MINUTE_MS);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(10 * MINUTE_MS + 10_000);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  test('leaves time to pay for a buyer whom the first seconds give a unit', () => {
    expect(Math.max(...many('joined', 1, { opensInMs: 1, payWithinSeconds: 8 }))).toBeLessThanOrEqual(2_001);
  });

  test('is short where the opening is not known', () => {
    expect(Math.max(...many('joined', 1, { payWithinSeconds: HOUR_S }))).toBeLessThanOrEqual(20_000);
  });

  test('grows while the order is made, as a draw may wait for its public value for hours', () => {
    const pausesAt = (ms: number) => many('drawing', 1, { opensInMs: -ms, payWithinSeconds: HOUR_S });
    expect(Math.max(...pausesAt(100))).toBeLessThanOrEqual(3_000);
    expect(Math.min(...pausesAt(20_000))).toBeGreaterThanOrEqual(5_000);
    expect(Math.max(...pausesAt(600 * MINUTE_MS))).toBeLessThanOrEqual(30_000);
  });
});

describe('the slowdown', () => {
  test('doubles every second while the event loop is busy, up to 16', () => {
    const steps = [1];
    for (let i = 0; i < 6; i += 1) steps.push(nextSlowdown(steps.at(-1) ?? 1, 0.99));
    expect(steps).toEqual([1, 2, 4, 8, 16, 16, 16]);
  });

  test('stays under a fair load, and halves to 1 under a light one', () => {
    expect(nextSlowdown(8, 0.6)).toBe(8);
    expect([nextSlowdown(8, 0.1), nextSlowdown(2, 0.1), nextSlowdown(1, 0.1)]).toEqual([4, 1, 1]);
  });
});
