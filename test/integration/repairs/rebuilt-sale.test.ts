import { describe, expect, test } from '@jest/globals';
import { rebuild } from '#core/maintenance/rebuild.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { keysOf } from '#core/redis/keys.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, openTestSale, win, winOne } from '../../support/sales.js';
import { forceClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const claimOf = async (saleId: string, buyerId: string) => (await readSnapshot(t.redis, saleId))?.claims.get(buyerId);

describe('of what only Redis knows, a rebuild', () => {
  test('keeps one of two claims of a unit, and gives the other up', async () => {
    const sale = await openTestSale(t, { units: 3 });
    const twins = [aClaim({ buyerId: 'ann', unit: 2 }), aClaim({ buyerId: 'bob', unit: 2 })];
    for (const twin of twins) await forceClaim(t, sale.id, twin);
    await rebuild(t, sale.id);
    const snapshot = await readSnapshot(t.redis, sale.id);
    const statuses = ['ann', 'bob'].map(buyerId => snapshot?.claims.get(buyerId)?.status).sort();
    expect([statuses, snapshot?.stock, snapshot?.outbox.size]).toEqual([['queued', 'rejected'], [1, 3], 1]);
    expect(await t.db.order.count({ where: { saleId: sale.id, status: 'void' } })).toBe(1);
  });

  test('gives up a claim of a unit beyond the sale', async () => {
    const sale = await openTestSale(t, { units: 3 });
    await forceClaim(t, sale.id, aClaim({ buyerId: 'ann', unit: 4 }));
    await rebuild(t, sale.id);
    expect(await claimOf(sale.id, 'ann')).toMatchObject({ status: 'rejected', reason: 'lost' });
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1, 2, 3]);
  });

  test('keeps the time at which a claim was won', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'ann');
    await t.redis.zadd(keysOf(sale.id).outbox, 12_345, 'ann');
    await rebuild(t, sale.id);
    expect((await readSnapshot(t.redis, sale.id))?.outbox.get('ann')).toBe(12_345);
  });

  test('keeps an ended claim without an order, and prefers an order to it', async () => {
    const sale = await openTestSale(t);
    const [old, other] = [aClaim({ buyerId: 'ann', unit: 1 }), aClaim({ buyerId: 'bob', unit: 2 })];
    for (const claim of [old, other]) await forceClaim(t, sale.id, claim, { status: 'rejected', outbox: false });
    const placed = aClaim({ buyerId: 'ann', unit: 3 });
    await placeOrders(t, { saleId: sale.id, claims: [placed] });
    await rebuild(t, sale.id);
    expect(await claimOf(sale.id, 'ann')).toMatchObject({ claimId: placed.claimId, status: 'pending_payment' });
    expect(await claimOf(sale.id, 'bob')).toMatchObject({ claimId: other.claimId, status: 'rejected' });
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1, 2]);
  });

  test('takes no claim of an old copy for live whose order has ended since', async () => {
    const sale = await openTestSale(t);
    const old = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [old] });
    await cancelOrder(t, { saleId: sale.id, ...old });
    const later = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [later] });
    await cancelOrder(t, { saleId: sale.id, ...later });
    await forceClaim(t, sale.id, old, { status: 'pending_payment', outbox: false });
    await rebuild(t, sale.id);
    expect(await claimOf(sale.id, 'ann')).toMatchObject({ claimId: later.claimId, status: 'cancelled' });
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1, 2, 3]);
  });

  test('keeps nobody on standby who has an order', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 2 });
    await win(t, sale, 'ann', 'bob', 'cem');
    await t.redis.hdel(keysOf(sale.id).claims, 'ann');
    await t.redis.zrem(keysOf(sale.id).outbox, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [aClaim({ buyerId: 'bob', unit: 1 })] });
    await rebuild(t, sale.id);
    expect((await readSnapshot(t.redis, sale.id))?.standby).toEqual(['cem']);
  });
});

test('a rebuild leaves withdrawn units out of stock, and reads no other sale', async () => {
  const [sale, other] = [await openTestSale(t, { units: 3 }), await openTestSale(t, { units: 3 })];
  for (const [of, unit] of [
    [sale, 2],
    [other, 3],
  ] as const) {
    const claim = aClaim({ unit });
    await insertTombstones(t.db, { saleId: of.id, claims: [claim], reason: 'lost' });
    await t.db.withdrawnUnit.create({ data: { saleId: of.id, unit, orderId: claim.claimId } });
  }
  await rebuild(t, sale.id);
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1, 3]);
});

test('a sale that Postgres does not have is not touched', async () => {
  const sale = await openTestSale(t);
  await t.db.sale.delete({ where: { id: sale.id } });
  expect(await rebuild(t, sale.id)).toBeUndefined();
  expect((await winOne(t, sale, 'ann')).unit).toBe(1);
});
