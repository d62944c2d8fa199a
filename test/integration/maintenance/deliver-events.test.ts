import { expect, test } from '@jest/globals';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { cancelRow, expireRows, readOverdue } from '#core/postgres/orders/end-orders.js';
import { keysOf } from '#core/redis/keys.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines, backdateReleases } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Cancels an order in Postgres only, like a worker that dies right afterwards. */
async function halfCancelled() {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await cancelRow(t.db, sale.id, won);
  return sale;
}

test('deliver-events carries out the release of a worker that died between cancelling and releasing', async () => {
  const sale = await halfCancelled();
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.status).toBe('pending_payment');
  await backdateReleases(t, sale.id, 2);
  expect(await deliverEvents(t)).toBe(1);
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect([snapshot?.stock, snapshot?.claims.get('a')?.status]).toEqual([[1], 'cancelled']);
  expect((await winOne(t, sale, 'a')).unit).toBe(1);
});

test('deliver-events carries out the release of a worker that died between expiring and releasing', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await backdateDeadlines(t, [won]);
  await expireRows(t.db, await readOverdue(t.db, { limit: 1, claimIds: [won.claimId] }));
  await backdateReleases(t, sale.id, 2);
  expect(await deliverEvents(t)).toBe(1);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.reason).toBe('unpaid');
});

test('a release that was decided a moment ago is left to its worker', async () => {
  const sale = await halfCancelled();
  expect(await writesNothing(t.redis, () => deliverEvents(t))).toBe(0);
  await backdateReleases(t, sale.id, 2);
  expect(await deliverEvents(t)).toBe(1);
});

test('two runs at once and a second run deliver nothing twice', async () => {
  const sale = await halfCancelled();
  await backdateReleases(t, sale.id, 2);
  await Promise.all([deliverEvents(t), deliverEvents(t)]);
  await winOne(t, sale, 'a');
  expect(await writesNothing(t.redis, () => deliverEvents(t))).toBe(0);
});

test('a sale that Redis lost does not delay the releases of other sales', async () => {
  const [lost, here] = [await halfCancelled(), await halfCancelled()];
  await t.redis.unlink(...Object.values(keysOf(lost.id)));
  for (const sale of [lost, here]) await backdateReleases(t, sale.id, 2);
  await expect(deliverEvents(t)).rejects.toThrow(lost.id);
  expect((await readSnapshot(t.redis, here.id))?.stock).toEqual([1]);
  expect(await t.db.outboxEvent.count({ where: { deliveredAt: null } })).toBe(1);
  await t.db.outboxEvent.deleteMany({ where: { saleId: lost.id } });
});
