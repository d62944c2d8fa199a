import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LOOP_DELAYS_MS, nextLevel, OUTBOX_AGES_MS, SHED_FROM } from '../../../apps/api/load/shed-level.js';

const levelsOf = (measured: number[], thresholds: readonly number[]) => {
  const levels = [0];
  for (const value of measured) levels.push(nextLevel(Number(levels.at(-1)), value, thresholds));
  return levels.slice(1);
};

describe('the shed level', () => {
  test('sheds pages and polls first, then claims, and payments and events last', () => {
    const { page, poll, claim, pay, event } = SHED_FROM;
    expect([page, poll]).toEqual([1, 1]);
    expect(claim).toBe(2);
    expect([pay, event]).toEqual([3, 3]);
  });

  test('rises at once with the delay of the event loop', () => {
    expect(levelsOf([199, 200, 299, 300, 499, 500], LOOP_DELAYS_MS)).toEqual([0, 1, 1, 2, 2, 3]);
    expect(levelsOf([10_000], LOOP_DELAYS_MS)).toEqual([3]);
  });

  test('falls by one step, and only below half of the delay at which it began', () => {
    expect(levelsOf([600, 251, 249, 151, 149, 101, 99, 0], LOOP_DELAYS_MS)).toEqual([3, 3, 2, 2, 1, 1, 0, 0]);
  });

  test('never sheds payments and events because of the outbox', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(100_000_000)), ages => {
        expect(Math.max(0, ...levelsOf(ages, OUTBOX_AGES_MS))).toBeLessThan(SHED_FROM.pay);
      }),
    );
  });

  test('does not move while the delay stays between half of the present threshold and the next one', () => {
    const ranges = [1, 2, 3].map(level => {
      const low = Number(LOOP_DELAYS_MS[level - 1]) / 2;
      const high = (LOOP_DELAYS_MS[level] ?? 10_000) - 1;
      return fc.record({ level: fc.constant(level), delayMs: fc.integer({ min: low, max: high }) });
    });
    fc.assert(
      fc.property(fc.oneof(...ranges), ({ level, delayMs }) => {
        expect(nextLevel(level, delayMs, LOOP_DELAYS_MS)).toBe(level);
      }),
    );
  });
});
