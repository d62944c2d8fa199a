import { beforeEach, describe, expect, test } from '@jest/globals';
import { clickToPay } from '#core/redis/claims/pay-click.js';
import { setPayUrl } from '#core/redis/claims/pay-url.js';
import { prefixOf, REGISTRY_AT, REGISTRY_RUN, registryKeys } from '#core/redis/keys.js';
import {
  isRegistryWhole,
  isUnknown,
  markRegistryWhole,
  readLoadedSaleIds,
  sinceCompared,
} from '#core/redis/registry.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aSale, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

beforeEach(async () => {
  for (const key of registryKeys()) await t.redis.hdel(key, REGISTRY_RUN, REGISTRY_AT);
});

describe('a sale that does not exist', () => {
  test('is known as such once the list of sales is whole for this run of Redis, and not before', async () => {
    const { id } = await openTestSale(t);
    expect(await isUnknown(t.redis, 'none')).toBe(false);
    await markRegistryWhole(t.redis, 'another-run', [id]);
    expect([await isUnknown(t.redis, 'none'), await isRegistryWhole(t.redis)]).toEqual([false, false]);
    await markRegistryWhole(t.redis, await readRunId(t.redis), [id]);
    expect([await isUnknown(t.redis, 'none'), await isRegistryWhole(t.redis)]).toEqual([true, true]);
    expect(await isUnknown(t.redis, id)).toBe(false);
  });

  test('is not loaded, and the list of sales has only sales', async () => {
    const { id } = await openTestSale(t);
    await markRegistryWhole(t.redis, await readRunId(t.redis), [id]);
    const ids = await readLoadedSaleIds(t.redis);
    for (const one of ids) expect(await readLoadedSale(t.redis, one)).toMatchObject({ id: one });
    expect(ids).toContain(id);
    expect(await readLoadedSale(t.redis, 'none')).toBeUndefined();
  });
});

test('the time since the last comparison is that of Redis, and unknown before the first', async () => {
  expect(await sinceCompared(t.redis)).toBeUndefined();
  const [first = '', ...others] = registryKeys();
  for (const key of others) await t.redis.hset(key, REGISTRY_AT, await readRedisMs(t.redis));
  expect(await sinceCompared(t.redis)).toBeUndefined();
  await t.redis.hset(first, REGISTRY_AT, (await readRedisMs(t.redis)) - 100_000);
  expect(await sinceCompared(t.redis)).toBeGreaterThanOrEqual(100_000);
});

test('a dropped sale leaves no key behind', async () => {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 1, payWithinSeconds: 600 });
  const claims = await win(t, sale, 'ann', 'bob');
  await placeOrders(t, { saleId: sale.id, claims });
  await clickToPay(t.redis, sale.id, 'ann');
  await setPayUrl(t.redis, sale.id, { claimId: claims[0]?.claimId ?? '', payUrl: 'https://pay.example' });
  expect((await t.redis.keys(`${prefixOf(sale.id)}:*`)).length).toBeGreaterThanOrEqual(5);
  await dropSale(t.redis, sale.id);
  expect(await t.redis.keys(`${prefixOf(sale.id)}:*`)).toEqual([]);
  expect(await readLoadedSaleIds(t.redis)).not.toContain(sale.id);
});

describe('a sale that is loaded', () => {
  const state = {
    claims: [
      { buyerId: 'ann', claimId: 'c1', unit: 2, status: 'queued' as const },
      { buyerId: 'bob', claimId: 'c2', unit: 1, status: 'cancelled' as const },
    ],
    outbox: [{ buyerId: 'ann', wonAtMs: 7 }],
    standby: ['cem', 'dan'],
  };

  test('has the units that are in no live claim, and its buyers in their order', async () => {
    const sale = aSale({ units: 5, standbyFactor: 1 });
    await openSale(t.redis, sale, { state });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot).toMatchObject({ stock: [1, 3, 4, 5], standby: ['cem', 'dan'], lastTicket: 2 });
    expect([...(snapshot?.outbox ?? [])]).toEqual([['ann', 7]]);
    expect([...(snapshot?.claims.keys() ?? [])].sort()).toEqual(['ann', 'bob']);
    expect(await t.redis.keys(`${prefixOf(sale.id)}:*staged*`)).toEqual([]);
  });

  test('leaves temporary keys that expire, if its process dies before the swap', async () => {
    const sale = aSale({ units: 5, standbyFactor: 1 });
    const ttls: number[] = [];
    const dying = beforeScript(t, 'open-sale', async () => {
      const keys = await t.redis.keys(`${prefixOf(sale.id)}:*staged*`);
      for (const key of keys) ttls.push(await t.redis.ttl(key));
      // The sale is in the list before the swap, as rescue visits only listed sales.
      expect(await readLoadedSaleIds(t.redis)).toContain(sale.id);
      throw new Error('the process dies');
    });
    await expect(openSale(dying.redis, sale, { state })).rejects.toThrow('the process dies');
    expect(ttls).toHaveLength(4);
    for (const ttl of ttls) expect(ttl).toBeGreaterThan(0);
  });
});
