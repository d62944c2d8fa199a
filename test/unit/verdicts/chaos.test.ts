import { describe, expect, test } from '@jest/globals';
import { REDIS_FAULTS, type RedisFault } from '../../chaos/nemesis/redis-faults.js';
import { type ChaosResult, exitCodeOf, missedBy, recoveries, recoveriesByKind } from '../../chaos/result.js';
import { GIVE_UP_MS } from '../../chaos/workload/probe.js';

const GOOD: ChaosResult = {
  seed: 1,
  minutes: 3,
  operations: 9_000,
  kills: { api: 12, worker: 12, redis: 3, postgres: 3 },
  links: 9,
  accepted: 400,
  placed: 400,
  lost: 0,
  violations: [],
  money: { paidElsewhere: 9, paidAtLast: 2, regrabbed: 1, returned: 1, refunded: 1 },
  holding: { strikes: 20, limited: 9, othersFirst: 3, crowded: 5, passes: 40, passless: 30 },
  recoveryMs: { p50: 900, p99: 15_000, max: 15_000 },
  recoveryMsOf: {},
  placingMs: { p50: 30, p99: 900, max: 4_000 },
};
const { kills } = GOOD;

const MISSED: [string, Partial<ChaosResult>][] = [
  ['a slow recovery', { recoveryMs: { p50: 900, p99: 15_001, max: 20_000 } }],
  ['nobody at the limit', { holding: { ...GOOD.holding, limited: 0 } }],
  ['too few kills', { kills: { ...kills, api: 11 } }],
  ['too few kills of Redis', { kills: { ...kills, api: 20, redis: 2 } }],
  ['too few kills of Postgres', { kills: { ...kills, api: 20, postgres: 2 } }],
];

const EACH_ONCE = Object.fromEntries(REDIS_FAULTS.map(fault => [fault, 1])) as Record<RedisFault, number>;
const ON_CLUSTER = { ...GOOD, minutes: 2, kills: { api: 1, worker: 1, redis: 2, postgres: 1 }, redis: EACH_ONCE };

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

  test('a run on a Redis Cluster that had each fault ends with 0, whatever the number of kills', () => {
    expect(exitCodeOf(ON_CLUSTER)).toBe(0);
  });

  test.each(Object.keys(EACH_ONCE))(
    'a run of two minutes on a Redis Cluster without the fault "%s" ends with 1',
    fault => {
      const result = { ...ON_CLUSTER, redis: { ...EACH_ONCE, [fault]: 0 } };
      expect(missedBy(result)).toEqual([expect.stringContaining(fault)]);
      expect(exitCodeOf(result)).toBe(1);
      expect(exitCodeOf({ ...result, minutes: 1.9 })).toBe(0);
    },
  );

  test.each(['api', 'worker', 'postgres'] as const)(
    'a run on a Redis Cluster without a killed %s ends with 1',
    kind => {
      expect(exitCodeOf({ ...ON_CLUSTER, kills: { ...ON_CLUSTER.kills, [kind]: 0 } })).toBe(1);
    },
  );

  test('a recovery lasts from a fault until the order of a buyer who came after the fault', () => {
    const faults = [
      { atMs: 1_000, kind: 'kill redis', text: 'redis dies' },
      { atMs: 5_000, kind: 'kill api', text: 'api-1 dies' },
    ];
    const probes = [
      { saleId: 'probe', fromMs: 999, placedMs: 1_100 },
      { saleId: 'probe', fromMs: 1_000, placedMs: 2_500 },
      { saleId: 'probe', fromMs: 1_200, placedMs: 2_400 },
    ];
    expect(recoveries(faults, probes)).toEqual([1_400, GIVE_UP_MS]);
  });

  test('the recovery from a fault of some sales lasts until the last of them recovered, whatever others do', () => {
    const faults = [{ atMs: 1_000, kind: 'move slot', text: 'slot 7', saleIds: ['b', 'c'] }];
    const probes = [
      { saleId: 'a', fromMs: 1_000, placedMs: 9_000 },
      { saleId: 'b', fromMs: 1_000, placedMs: 1_300 },
      { saleId: 'c', fromMs: 1_000, placedMs: 1_700 },
    ];
    expect(recoveries(faults, probes)).toEqual([700]);
    expect(recoveries(faults, probes.slice(0, 1))).toEqual([GIVE_UP_MS]);
    expect(recoveriesByKind(faults, probes)).toEqual({ 'move slot': { count: 1, p50: 700, p99: 700, max: 700 } });
  });
});
