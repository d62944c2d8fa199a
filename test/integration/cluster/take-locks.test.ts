import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { runLocks } from '#core/redis/purchases/locks.js';
import { locksOf, useCluster } from '../../support/redis/cluster.js';

// The script that reserves the locks of a buyer for an attempt to claim.

const c = useCluster(1);

const someone = () => `buyer-${randomUUID().slice(0, 8)}`;

/** Reserves the locks of a buyer for an attempt, by default for both rules and 30 s. */
async function take(buyerId: string, attempt: string, { rules = 'interval purchase', lifetimeMs = 30_000 } = {}) {
  const [outcome] = (await runLocks(c.redis.of(buyerId), 'take-locks', [
    buyerId,
    attempt,
    rules,
    lifetimeMs,
  ])) as unknown[];
  return outcome;
}

/** Reads the reservations of one of a buyer's keys: the attempts, and when each ends in ms from now. */
async function reservationsOf(buyerId: string, key: 'lock' | 'pause'): Promise<[attempt: string, leftMs: number][]> {
  const redis = c.redis.of(buyerId);
  const [entries, [seconds]] = await Promise.all([
    redis.zrange(locksOf(buyerId)[key], '0', '-1', 'WITHSCORES'),
    redis.time(),
  ]);
  const attempts = entries.filter((_, i) => i % 2 === 0);
  return attempts.map((attempt, i) => [attempt, Number(entries[2 * i + 1]) - 1_000 * Number(seconds)]);
}

const typesOf = (buyerId: string) =>
  Promise.all(Object.values(locksOf(buyerId)).map(key => c.redis.of(buyerId).type(key)));

test.each([
  ['purchase', ['zset', 'none']],
  ['interval', ['none', 'zset']],
  ['interval purchase', ['zset', 'zset']],
])('a sale with the rules %j reserves the locks of these rules and no others', async (rules, types) => {
  const buyerId = someone();
  expect(await take(buyerId, 'one/first', { rules })).toBe(0);
  expect(await typesOf(buyerId)).toEqual(types);
});

test('a reservation ends after its lifetime, as does its key', async () => {
  const buyerId = someone();
  await take(buyerId, 'one/first', { lifetimeMs: 1_000_000 });
  for (const key of ['lock', 'pause'] as const) {
    const [[attempt, leftMs] = ['', 0]] = await reservationsOf(buyerId, key);
    expect(attempt).toBe('one/first');
    const keyMs = await c.redis.of(buyerId).pttl(locksOf(buyerId)[key]);
    for (const ms of [leftMs, keyMs]) {
      expect(ms).toBeGreaterThan(900_000);
      expect(ms).toBeLessThanOrEqual(1_001_000);
    }
  }
});

test('attempts in one sale share the locks, and another sale waits for the last of them', async () => {
  const buyerId = someone();
  expect(await take(buyerId, 'one/first', { lifetimeMs: 2_000_000 })).toBe(0);
  expect(await take(buyerId, 'one/second', { lifetimeMs: 1_000_000 })).toBe(0);
  expect((await reservationsOf(buyerId, 'lock')).map(([attempt]) => attempt)).toEqual(['one/second', 'one/first']);
  const [rule, leftMs] = (await take(buyerId, 'other/third', { rules: 'purchase' })) as [string, number];
  expect(rule).toBe('purchase');
  expect(leftMs).toBeGreaterThan(1_900_000);
  expect(leftMs).toBeLessThanOrEqual(2_000_000);
});

test('a sale whose id begins like that of another one is another sale', async () => {
  const buyerId = someone();
  await take(buyerId, 'drop-1/first', { rules: 'purchase' });
  expect(await take(buyerId, 'drop-12/second', { rules: 'purchase' })).toEqual(['purchase', expect.any(Number)]);
  expect(await take(buyerId, 'drop/third', { rules: 'purchase' })).toEqual(['purchase', expect.any(Number)]);
  expect(await reservationsOf(buyerId, 'lock')).toHaveLength(1);
});

test('an attempt that has ended is removed by the next one, and keeps nobody from another sale', async () => {
  const buyerId = someone();
  await take(buyerId, 'one/first', { rules: 'purchase' });
  await c.redis.of(buyerId).zadd(locksOf(buyerId).lock, Date.now() - 10_000, 'one/first');
  expect(await take(buyerId, 'other/second', { rules: 'purchase' })).toBe(0);
  expect((await reservationsOf(buyerId, 'lock')).map(([attempt]) => attempt)).toEqual(['other/second']);
});

test('a lock or a pause of a claim refuses every sale until it expires, and nothing is reserved then', async () => {
  const [busy, pausing] = [someone(), someone()];
  await c.redis.of(busy).set(locksOf(busy).lock, 'a claim', 'PX', 1_000_000);
  await c.redis.of(pausing).set(locksOf(pausing).pause, 'a claim', 'PX', 1_000_000);
  for (const [buyerId, rule] of [
    [busy, 'purchase'],
    [pausing, 'interval'],
  ] as const) {
    const before = await typesOf(buyerId);
    const [told, leftMs] = (await take(buyerId, 'one/first')) as [string, number];
    expect(told).toBe(rule);
    expect(leftMs).toBeGreaterThan(900_000);
    expect(leftMs).toBeLessThanOrEqual(1_000_000);
    expect(await typesOf(buyerId)).toEqual(before);
  }
});

test('a batch has an outcome for each buyer, in its order', async () => {
  const tag = c.redis.shards[3]?.tags[0] ?? '';
  const [free, busy] = [`free-${randomUUID()}`, `busy-${randomUUID()}`];
  const shard = c.redis.shards[3];
  if (!shard) throw new Error('a cluster has 16 buckets');
  await shard.set(`${tag}:@purchase:${busy}`, 'a claim', 'PX', 1_000_000);
  const outcomes = await runLocks(shard, 'take-locks', [`${busy} ${free}`, 'one/first', 'purchase', 30_000]);
  expect(outcomes).toEqual([['purchase', expect.any(Number)], 0]);
});
