import { expect, test } from '@jest/globals';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { cancelRow, expireRows } from '#core/postgres/orders/end-orders.js';
import { keysOf } from '#core/redis/keys.js';
import { readSnapshot } from '#core/redis/sale/snapshot.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines, backdateReleases } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** An order that was cancelled in Postgres by a worker that died right after. */
async function halfCancelled() {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await cancelRow(t.db, sale.id, won);
  return sale;
}

test('a worker that died between cancelling and releasing leaves the release to us', async () => {
  const sale = await halfCancelled();
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.status).toBe('pending_payment');
  await backdateReleases(t, sale.id, 2);
  expect(await deliverEvents(t)).toBe(1);
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect([snapshot?.stock, snapshot?.claims.get('a')?.status]).toEqual([[1], 'cancelled']);
  expect((await winOne(t, sale, 'a')).unit).toBe(1);
});

test('a worker that died between expiring and releasing leaves the release to us', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await backdateDeadlines(t, [won]);
  await expireRows(t.db, 10, [won.claimId]);
  await backdateReleases(t, sale.id, 2);
  expect(await deliverEvents(t)).toBe(1);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.reason).toBe('unpaid');
});

test('a release that was just decided is left to who decided it', async () => {
  const sale = await halfCancelled();
  expect(await writesNothing(t.redis, () => deliverEvents(t))).toBe(0);
  await backdateReleases(t, sale.id, 2);
  expect(await deliverEvents(t)).toBe(1);
});

test('a second time, and two at once, deliver nothing twice', async () => {
  const sale = await halfCancelled();
  await backdateReleases(t, sale.id, 2);
  await Promise.all([deliverEvents(t), deliverEvents(t)]);
  await winOne(t, sale, 'a');
  expect(await writesNothing(t.redis, () => deliverEvents(t))).toBe(0);
});

test('a sale that Redis lost does not hold up the releases of the others', async () => {
  const [lost, here] = [await halfCancelled(), await halfCancelled()];
  await t.redis.unlink(...Object.values(keysOf(lost.id)));
  for (const sale of [lost, here]) await backdateReleases(t, sale.id, 2);
  await expect(deliverEvents(t)).rejects.toThrow(lost.id);
  expect((await readSnapshot(t.redis, here.id))?.stock).toEqual([1]);
  expect(await t.db.outboxEvent.count({ where: { deliveredAt: null } })).toBe(1);
});
