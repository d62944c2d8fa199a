import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { rescue } from '#core/maintenance/rescue.js';
import { clickToPay } from '#core/redis/claims/pay-click.js';
import { readPayUrl, setPayUrl } from '#core/redis/claims/pay-url.js';
import { keysOf, layoutNow, OLD_REGISTRY, prefixOf, REGISTRY_AT, REGISTRY_RUN, workWith } from '#core/redis/keys.js';
import { adoptLayout, moveKeys } from '#core/redis/layout.js';
import { markRegistryWhole, readLoadedSaleIds } from '#core/redis/registry.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { dropSale, readRunId } from '#core/redis/sale/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aSale, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// Versions before buckets had one registry, and each sale was a hash tag of its own.

const t = useStores();

beforeEach(() => t.redis.flushall());
afterEach(() => workWith('bucket'));

/** Opens sales as an earlier version does, in a Redis without any. */
async function openEarlier(count: number) {
  await t.redis.hset(OLD_REGISTRY, 'first', 1);
  const sales = [];
  for (let i = 0; i < count; i += 1) sales.push(await openTestSale(t, { units: 3, standbyFactor: 1 }));
  await t.redis.hdel(OLD_REGISTRY, 'first');
  return sales;
}

const contentOf = async (saleId: string) => {
  const { atMs: _, ...content } = (await readSnapshot(t.redis, saleId)) ?? { atMs: 0 };
  return content;
};

describe('a Redis without sales', () => {
  test('gets keys by buckets, and no process of an earlier version can load a sale into it', async () => {
    expect(await adoptLayout(t.redis)).toBe('bucket');
    await expect(t.redis.hset(OLD_REGISTRY, 'a-sale', 1)).rejects.toThrow('WRONGTYPE');
  });

  test('gets keys by buckets although an earlier version has looked at it', async () => {
    await t.redis.hset(OLD_REGISTRY, REGISTRY_RUN, 'a-run', REGISTRY_AT, 1);
    expect(await adoptLayout(t.redis)).toBe('bucket');
  });
});

describe('the sales of an earlier version', () => {
  test('keep their keys until they are moved', async () => {
    const [sale] = await openEarlier(1);
    expect(layoutNow()).toBe('sale');
    expect(await t.redis.exists(`{${sale?.id}}:sale`)).toBe(1);
    await reconcileAll(t);
    expect([layoutNow(), await readLoadedSaleIds(t.redis)]).toEqual(['sale', [sale?.id]]);
  });

  test('keep everything when they are moved, and sell on', async () => {
    const [sale, other] = await openEarlier(2);
    if (!sale || !other) throw new Error('no sale is open');
    const claims = await win(t, sale, 'ann', 'bob', 'cem');
    await win(t, sale, 'dan', 'eve');
    await placeOrders(t, { saleId: sale.id, claims: claims.slice(0, 2) });
    await clickToPay(t.redis, sale.id, 'ann');
    await setPayUrl(t.redis, sale.id, { claimId: 'c1', payUrl: 'https://pay.example' });
    await markRegistryWhole(t.redis, await readRunId(t.redis), [sale.id, other.id]);
    const before = await Promise.all([sale.id, other.id].map(contentOf));

    expect(await moveKeys(t.redis)).toBe(2);

    expect(await t.redis.keys(`{${sale.id}}*`)).toEqual([]);
    expect(await Promise.all([sale.id, other.id].map(contentOf))).toEqual(before);
    expect((await readLoadedSaleIds(t.redis)).sort()).toEqual([sale.id, other.id].sort());
    expect(await readPayUrl(t.redis, sale.id, 'c1')).toBe('https://pay.example');
    expect(await t.redis.zcard(`${prefixOf(sale.id)}:pay-clicks`)).toBe(1);
    expect(await rescue(t, sale.id, 0)).toBe(1);
    expect((await win(t, other, 'fay')).length).toBe(1);
    await reconcileAll(t);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
    expect(await moveKeys(t.redis)).toBeUndefined();
  });

  test('are moved together with one that is opened meanwhile, and without one that is removed', async () => {
    const [sale, over] = await openEarlier(2);
    const late = aSale();
    let times = 0;
    const slow = beforeScript(t, 'move-keys', async () => {
      times += 1;
      if (times > 1) return;
      await openSale(t.redis, late);
      await dropSale(t.redis, over?.id ?? '');
    });
    expect(await moveKeys(slow.redis)).toBe(2);
    expect((await readLoadedSaleIds(t.redis)).sort()).toEqual([sale?.id, late.id].sort());
  });

  test('are moved by one of two operators', async () => {
    await openEarlier(3);
    const moved = await Promise.all([moveKeys(t.redis), moveKeys(t.redis)]);
    expect(moved.sort()).toEqual([3, undefined]);
  });
});

describe('after the move', () => {
  test('a process that has not noticed it takes nothing and loads nothing', async () => {
    const [sale] = await openEarlier(1);
    if (!sale) throw new Error('no sale is open');
    await moveKeys(t.redis);
    workWith('sale');
    expect(await win(t, sale, 'ann')).toEqual([]);
    await expect(t.redis.hset(OLD_REGISTRY, sale.id, 1)).rejects.toThrow('WRONGTYPE');
    await openSale(t.redis, aSale());
    expect(layoutNow()).toBe('bucket');
  });

  test('a copy of Redis from before it is worked with as it is', async () => {
    const [sale] = await openEarlier(1);
    if (!sale) throw new Error('no sale is open');
    await win(t, sale, 'ann');
    const keys = Object.values(keysOf(sale.id));
    const dumps = await Promise.all(keys.map(key => t.redis.dumpBuffer(key)));
    await moveKeys(t.redis);
    await t.redis.flushall();
    await t.redis.hset(OLD_REGISTRY, sale.id, 1);
    for (const [i, dump] of dumps.entries()) if (dump) await t.redis.restore(keys[i] ?? '', 0, dump);

    await reconcileAll(t);

    expect([layoutNow(), await t.redis.keys('{b*')]).toEqual(['sale', []]);
    expect((await readSnapshot(t.redis, sale.id))?.claims.size).toBe(1);
  });
});
