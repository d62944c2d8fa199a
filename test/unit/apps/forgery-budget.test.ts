import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ForgeryBudget } from '../../../apps/api/listeners/forgery-budget.js';

const LARGE = 64 * 1_024;
const USUAL = 4 * 1_024;
const SECOND_MS = 1_000;

/** Offers forgeries at even intervals, and returns how many were taken. */
function flood(
  budget: ForgeryBudget,
  { bytes, perSecond, seconds }: Record<'bytes' | 'perSecond' | 'seconds', number>,
) {
  const startMs = performance.now();
  let taken = 0;
  for (let i = 0; i < perSecond * seconds; i += 1) {
    if (budget.take(bytes, startMs + (i * SECOND_MS) / perSecond)) taken += 1;
  }
  return taken;
}

describe('the budget for forged events', () => {
  test('takes about 205 large forgeries a second, however many come', () => {
    for (const perSecond of [1_000, 10_000]) {
      const taken = flood(new ForgeryBudget(), { bytes: LARGE, perSecond, seconds: 10 });
      // Ten seconds, and the burst of one more.
      expect(taken).toBeLessThanOrEqual(205 * 11);
      expect(taken).toBeGreaterThan(204 * 10);
    }
  });

  test('most genuine events of usual size pass in a flood of large forgeries', () => {
    const budget = new ForgeryBudget();
    const startMs = performance.now();
    let passed = 0;
    for (let ms = 0; ms < 10_000; ms += 1) {
      budget.take(LARGE, startMs + ms);
      if (ms % 10 !== 5 || !budget.take(USUAL, startMs + ms)) continue;
      budget.giveBack(USUAL);
      passed += 1;
    }
    expect(passed / 1_000).toBeGreaterThan(0.7);
  });

  test('a flood of the smallest forgeries does not lock genuine events out', () => {
    const budget = new ForgeryBudget();
    const startMs = performance.now();
    let passed = 0;
    for (let ms = 0; ms < 10_000; ms += 1) {
      for (let i = 0; i < 5; i += 1) budget.take(1, startMs + ms + i / 5);
      if (ms % 10 !== 5 || !budget.take(USUAL, startMs + ms + 0.9)) continue;
      budget.giveBack(USUAL);
      passed += 1;
    }
    expect(passed / 1_000).toBeGreaterThan(0.03);
  });

  test('genuine events never use it up', () => {
    const budget = new ForgeryBudget();
    const nowMs = performance.now();
    for (let i = 0; i < 10_000; i += 1) {
      expect(budget.take(LARGE, nowMs)).toBe(true);
      budget.giveBack(LARGE);
    }
  });

  test('never takes more than a burst and the rate allow', () => {
    const event = fc.record({ afterMs: fc.nat(1), bytes: fc.integer({ min: LARGE / 2, max: LARGE }) });
    fc.assert(
      fc.property(fc.array(event, { minLength: 800, maxLength: 1_000 }), events => {
        const budget = new ForgeryBudget();
        const startMs = performance.now();
        let [nowMs, bytes] = [startMs, 0];
        for (const { afterMs, bytes: length } of events) {
          nowMs += afterMs;
          if (budget.take(length, nowMs)) bytes += length;
        }
        const rate = 16 * 1_024 * 1_024;
        expect(bytes).toBeLessThanOrEqual(rate * (1 + (nowMs - startMs + 1) / SECOND_MS));
      }),
    );
  });
});
