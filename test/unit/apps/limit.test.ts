import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BuyerTimes } from '../../../apps/api/limits/buyer-times.js';
import { type Figure, Limit } from '../../../apps/api/limits/limit.js';

const FIGURE: Figure = { burst: 20, perSecond: 5 };

/** Sends a request at each time, and returns the times of those that pass. */
const passing = (limit: Limit, timesMs: number[]) => timesMs.filter(nowMs => limit.take('ann', nowMs) === 0);

const figures = fc.record({ burst: fc.integer({ min: 1, max: 30 }), perSecond: fc.integer({ min: 1, max: 50 }) });
/** Pauses between requests, in ms: mostly far below what any of the figures allows. */
const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 3_000 })), {
  minLength: 1,
  maxLength: 200,
});

describe('a limit', () => {
  test('lets through no more than its burst and its rate, in any window', () => {
    fc.assert(
      fc.property(figures, pauses, fc.integer({ min: 1, max: 8 }), (figure, gaps, processes) => {
        const limit = new Limit(figure);
        limit.shareAmong(processes);
        let nowMs = 0;
        const passed = passing(
          limit,
          gaps.map(gap => {
            nowMs += gap;
            return nowMs;
          }),
        );
        const burst = Math.max(1, figure.burst / processes);
        for (let from = 0; from < passed.length; from += 1) {
          for (let to = from; to < passed.length; to += 1) {
            const seconds = ((passed[to] as number) - (passed[from] as number)) / 1_000;
            const most = burst + (seconds * figure.perSecond) / processes;
            expect(to - from + 1).toBeLessThanOrEqual(most + 1e-6);
          }
        }
      }),
    );
  });

  test('lets a buyer through again after the time that it names, and not before', () => {
    fc.assert(
      fc.property(figures, fc.integer({ min: 1, max: 8 }), (figure, processes) => {
        const limit = new Limit(figure);
        limit.shareAmong(processes);
        let waitMs = 0;
        while (waitMs === 0) waitMs = limit.take('ann', 0);
        expect(limit.take('ann', waitMs - 0.01)).toBeGreaterThan(0);
        expect(limit.take('ann', waitMs + 1e-6)).toBe(0);
      }),
    );
  });

  test('counts each buyer apart', () => {
    const limit = new Limit(FIGURE);
    expect(passing(limit, Array(50).fill(0))).toHaveLength(20);
    expect(limit.take('bob', 0)).toBe(0);
  });

  test('is shared in equal parts, of one request at least', () => {
    for (const [processes, atOnce] of [
      [2, 10],
      [3, 6],
      [50, 1],
    ] as const) {
      const limit = new Limit(FIGURE);
      limit.shareAmong(processes);
      expect(passing(limit, Array(50).fill(0))).toHaveLength(atOnce);
    }
  });

  test('with a full table refuses no buyer whom it does not know', () => {
    const limit = new Limit(FIGURE, 3);
    for (let i = 0; i < 1_000; i += 1) expect(limit.take(`buyer-${i}`, 0)).toBe(0);
  });
});

describe('a table of times', () => {
  const USEFUL_MS = 4_000;

  test('has at most two generations of buyers', () => {
    const times = new BuyerTimes(USEFUL_MS, 10);
    for (let i = 0; i < 1_000; i += 1) {
      times.set(`buyer-${i}`, i, i);
      expect(times.size).toBeLessThanOrEqual(20);
    }
  });

  test('remembers a buyer for as long as the time is useful, and forgets later', () => {
    const times = new BuyerTimes(USEFUL_MS, 10);
    times.set('bob', 0, 0);
    times.set('ann', 7, 3_999);
    times.set('bob', 0, 4_000);
    expect(times.of('ann')).toBe(7);
    times.set('bob', 0, 7_998);
    expect(times.of('ann')).toBe(7);
    times.set('bob', 0, 8_000);
    expect(times.of('ann')).toBeUndefined();
  });

  test('keeps a buyer who comes back', () => {
    const times = new BuyerTimes(USEFUL_MS, 10);
    for (let nowMs = 0; nowMs < 40_000; nowMs += 3_000) {
      times.set('ann', nowMs, nowMs);
      times.set(`other-${nowMs}`, 0, nowMs);
    }
    expect(times.of('ann')).toBe(39_000);
  });
});
