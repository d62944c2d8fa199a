import { describe, expect, test } from '@jest/globals';
import { type ChaosResult, exitCodeOf, missedBy, recoveries } from '../../chaos/result.js';
import { GIVE_UP_MS } from '../../chaos/workload/probe.js';

const GOOD: ChaosResult = {
  seed: 1,
  minutes: 3,
  operations: 9_000,
  kills: { api: 12, worker: 12, redis: 3, postgres: 3 },
  links: 9,
  accepted: 400,
  placed: 400,
  violations: [],
  money: { paidElsewhere: 9, paidAtLast: 2, regrabbed: 1, returned: 1, refunded: 1 },
  recoveryMs: { p50: 900, p99: 15_000, max: 15_000 },
  placingMs: { p50: 30, p99: 900, max: 4_000 },
};
const { kills } = GOOD;

const MISSED: [string, Partial<ChaosResult>][] = [
  ['a slow recovery', { recoveryMs: { p50: 900, p99: 15_001, max: 20_000 } }],
  ['too few kills', { kills: { ...kills, api: 11 } }],
  ['too few kills of Redis', { kills: { ...kills, api: 20, redis: 2 } }],
  ['too few kills of Postgres', { kills: { ...kills, api: 20, postgres: 2 } }],
];

describe('the verdict about a run of chaos', () => {
  test('a run with enough faults and without a violation ends with 0', () => {
    expect(missedBy(GOOD)).toEqual([]);
    expect(exitCodeOf(GOOD)).toBe(0);
  });

  test('a violation ends the run with 1', () => {
    expect(exitCodeOf({ ...GOOD, violations: ['rest: a claim is not placed'] })).toBe(1);
  });

  test.each(MISSED)('%s ends the run with 1', (_, change) => {
    expect(missedBy({ ...GOOD, ...change })).toHaveLength(1);
    expect(exitCodeOf({ ...GOOD, ...change })).toBe(1);
  });

  test('a short run is not judged by its number of faults', () => {
    expect(exitCodeOf({ ...GOOD, minutes: 2.9, kills: { api: 1, worker: 0, redis: 0, postgres: 0 } })).toBe(0);
  });

  test('a recovery lasts from a fault until the order of a buyer who came after the fault', () => {
    const faults = [
      { atMs: 1_000, text: 'redis dies' },
      { atMs: 5_000, text: 'api-1 dies' },
    ];
    const probes = [
      { fromMs: 999, placedMs: 1_100 },
      { fromMs: 1_000, placedMs: 2_500 },
      { fromMs: 1_200, placedMs: 2_400 },
    ];
    expect(recoveries(faults, probes)).toEqual([1_400, GIVE_UP_MS]);
  });
});
