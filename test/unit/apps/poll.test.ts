import { describe, expect, test } from '@jest/globals';
import { pollAfterMs } from '../../../apps/api/answers/poll.js';
import { nextSlowdown } from '../../../apps/api/load.js';

const HOUR_S = 3_600;
const many = (...args: Parameters<typeof pollAfterMs>) =>
  Array.from({ length: 200 }, () => Number(pollAfterMs(...args)));

describe('when to ask again', () => {
  test('spreads over as long again as the shortest pause', () => {
    const pauses = many('standby', 1, HOUR_S);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2_500);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  test('is later while there is much to do, but within half a minute', () => {
    expect(Math.min(...many('queued', 4, HOUR_S))).toBeGreaterThanOrEqual(1_600);
    expect(Math.max(...many('standby', 16, HOUR_S))).toBeLessThanOrEqual(30_000);
  });

  test.each([1, 16])('is often enough for who is promoted and has to pay (slowdown %i)', slowdown => {
    for (const status of ['standby', 'queued', 'pending_payment'] as const) {
      expect(Math.max(...many(status, slowdown, 8))).toBeLessThanOrEqual(2_000);
    }
  });

  test.each(['none', 'paid', 'cancelled', 'rejected', 'refunded', 'closed'] as const)('is never, for %s', status => {
    expect(pollAfterMs(status, 1, HOUR_S)).toBeUndefined();
  });
});

describe('the slowdown', () => {
  test('doubles while the event loop has no time to rest, up to 16', () => {
    const steps = [1];
    for (let i = 0; i < 6; i += 1) steps.push(nextSlowdown(steps.at(-1) ?? 1, 0.99));
    expect(steps).toEqual([1, 2, 4, 8, 16, 16, 16]);
  });

  test('stays while there is enough to do, and goes back to 1 when there is little', () => {
    expect(nextSlowdown(8, 0.6)).toBe(8);
    expect([nextSlowdown(8, 0.1), nextSlowdown(2, 0.1), nextSlowdown(1, 0.1)]).toEqual([4, 1, 1]);
  });
});
