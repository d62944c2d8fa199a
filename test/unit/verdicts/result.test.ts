import { describe, expect, test } from '@jest/globals';
import { type ChaosResult, countMoney, missedBy, recoveries, spreadOf } from '../../chaos/result.js';
import { order, payment } from '../histories/written-history.js';

describe('the result of a run of chaos', () => {
  test('has the median, the 99th percentile and the maximum of durations, in whole ms', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200.4 - index);
    expect(spreadOf(values)).toEqual({ p50: 100, p99: 198, max: 200 });
  });

  test('counts a buyer who comes in the millisecond of a fault as one after it', () => {
    const fault = { atMs: 1_000, kind: 'kill redis', text: 'redis dies' };
    expect(recoveries([fault], [{ saleId: 'probe', fromMs: 1_000, placedMs: 1_300 }])).toEqual([300]);
  });

  test('counts payments by what became of their money', () => {
    const payments = [
      payment({ takenMinor: 1, attempt: 1 }),
      payment({ takenMinor: 100, attempt: 1 }),
      payment({ takenMinor: 100, attempt: 2 }),
      payment({ takenMinor: 100, attempt: 3 }),
      payment({ takenMinor: 0, attempt: 2 }),
    ];
    const orders = [
      order('a', 'ann'),
      order('b', 'bob', { regrabbed: true }),
      ...['cid', 'dan'].map(buyerId => order('a', buyerId, { reason: 'refunded_late_payment' })),
      ...['eve', 'fay', 'gus'].map(buyerId => order('a', buyerId, { reason: 'refunded_by_shop' })),
    ];
    expect(countMoney(payments, orders)).toEqual({
      paidElsewhere: 4,
      paidAtLast: 2,
      regrabbed: 1,
      returned: 2,
      refunded: 3,
    });
  });

  test('says by how much a goal was missed', () => {
    const result: ChaosResult = {
      seed: 1,
      minutes: 3,
      operations: 0,
      kills: { api: 20, worker: 6, redis: 2, postgres: 1 },
      links: 0,
      accepted: 0,
      placed: 0,
      lost: 0,
      violations: [],
      money: countMoney([], []),
      holding: { strikes: 3, limited: 2, othersFirst: 0, crowded: 1, passes: 9, passless: 4 },
      recoveryMs: { p50: 0, p99: 15_001, max: 15_001 },
      recoveryMsOf: {},
      placingMs: spreadOf([]),
    };
    expect(missedBy(result)).toEqual([
      expect.stringMatching(/15001.*15000/),
      'no buyer came to this: othersFirst',
      expect.stringMatching(/29.*2 of redis.*1 of postgres/),
    ]);
  });
});
