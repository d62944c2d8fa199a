import { expect, test } from '@jest/globals';
import { REGISTRY_AT, REGISTRY_RUN, registryKeyOf, registryKeys } from '#core/redis/keys.js';
import { isRegistryWhole, markRegistryWhole } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { runScript } from '#core/redis/scripts.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { openTestSale } from '../../support/sales.js';
import { whileFull } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('the registry is marked for this run of Redis, with its time', async () => {
  const [a, b] = [await openTestSale(t), await openTestSale(t)];
  const from = await readRedisMs(t.redis);
  expect(await markRegistryWhole(t.redis, await readRunId(t.redis), [a.id, b.id])).toBe(true);
  expect(await isRegistryWhole(t.redis)).toBe(true);
  for (const key of registryKeys()) expect(Number(await t.redis.hget(key, REGISTRY_AT))).toBeGreaterThanOrEqual(from);
});

test.each([0, 1, 2])('with the sale at position %i lost, its bucket is not marked', async position => {
  const sales = [await openTestSale(t), await openTestSale(t), await openTestSale(t)];
  const ids = sales.map(({ id }) => id);
  const key = registryKeyOf(ids[position] ?? '');
  await t.redis.hdel(key, ids[position] ?? '');
  const runId = `run-${position}`;
  expect(await markRegistryWhole(t.redis, runId, ids)).toBe(false);
  expect(await t.redis.hget(key, REGISTRY_RUN)).not.toBe(runId);
});

test('without any sale the registry is marked, also while Redis is full', async () => {
  expect(await whileFull(t.redis, () => markRegistryWhole(t.redis, 'a-run'))).toBe(true);
  for (const key of registryKeys()) expect(await t.redis.hget(key, REGISTRY_RUN)).toBe('a-run');
});

// More values than Lua's stack takes at once.
test.each([0, 999, 1_000, 19_999])('of 20,000 sales in one bucket, none may be lost, such as number %i', async lost => {
  const key = '{b00}:many-sales';
  const ids = Array.from({ length: 20_000 }, (_, i) => `sale-${i}`);
  await t.redis.hset(key, ...ids.flatMap(id => [id, 1]));
  const mark = () => runScript(t.redis, 'mark-registry', { keys: [key], args: ['a-run', ...ids] });
  expect(await mark()).toBe(1);
  await t.redis.hdel(key, ids[lost] ?? '');
  expect(await mark()).toBe(0);
});
