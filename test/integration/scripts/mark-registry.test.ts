import { expect, test } from '@jest/globals';
import { REGISTRY, REGISTRY_AT, REGISTRY_RUN } from '#core/redis/keys.js';
import { isRegistryWhole, markRegistryWhole } from '#core/redis/registry.js';
import { readRunId } from '#core/redis/sale/sale.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { openTestSale } from '../../support/sales.js';
import { whileFull, writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('the registry is marked for this run of Redis, with its time', async () => {
  const [a, b] = [await openTestSale(t), await openTestSale(t)];
  const from = await readRedisMs(t.redis);
  expect(await markRegistryWhole(t.redis, await readRunId(t.redis), [a.id, b.id])).toBe(true);
  expect(await isRegistryWhole(t.redis)).toBe(true);
  expect(Number(await t.redis.hget(REGISTRY, REGISTRY_AT))).toBeGreaterThanOrEqual(from);
});

test.each([0, 1, 2])('with the sale at position %i lost, nothing is marked', async position => {
  const sales = [await openTestSale(t), await openTestSale(t), await openTestSale(t)];
  const ids = sales.map(({ id }) => id);
  await t.redis.hdel(REGISTRY, ids[position] ?? '');
  expect(await writesNothing(t.redis, () => markRegistryWhole(t.redis, 'this-run', ids))).toBe(false);
});

test('without any sale the registry is marked, also while Redis is full', async () => {
  expect(await whileFull(t.redis, () => markRegistryWhole(t.redis, 'a-run'))).toBe(true);
  expect(await t.redis.hget(REGISTRY, REGISTRY_RUN)).toBe('a-run');
});
