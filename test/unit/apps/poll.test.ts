import { describe, expect, test } from '@jest/globals';
import { pollAfterMs } from '../../../apps/api/answers/poll.js';
import { nextSlowdown } from '../../../apps/api/load/slowdown.js';

const HOUR_S = 3_600;
const many = (...args: Parameters<typeof pollAfterMs>) =>
  Array.from({ length: 200 }, () => Number(pollAfterMs(...args)));

describe('the pause before the next poll', () => {
  test('is spread between the shortest pause and twice as long', () => {
    const pauses = many('standby', 1, HOUR_S);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(2_500);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
    expect(new Set(pauses).size).toBeGreaterThan(100);
  });

  test('grows with the slowdown, up to half a minute', () => {
    expect(Math.min(...many('queued', 4, HOUR_S))).toBeGreaterThanOrEqual(1_600);
    expect(Math.max(...many('standby', 16, HOUR_S))).toBeLessThanOrEqual(30_000);
  });

  test.each([1, 16])('lets a promoted buyer poll four times within the time to pay (slowdown %i)', slowdown => {
    for (const status of ['standby', 'queued', 'pending_payment'] as const) {
      expect(Math.max(...many(status, slowdown, 8))).toBeLessThanOrEqual(2_000);
    }
  });

  test.each(['none', 'paid', 'cancelled', 'rejected', 'refunded', 'closed'] as const)(
    'does not exist for the final status %s',
    status => {
      expect(pollAfterMs(status, 1, HOUR_S)).toBeUndefined();
    },
  );
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
