import { expect, test } from '@jest/globals';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { prefixOf } from '#core/redis/keys.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const orderOf = (claimId: string) => t.db.order.findUnique({ where: { id: claimId } });

test('a buyer cancels an order, and its unit is free', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await cancelOrder(t, { saleId: sale.id, ...won });
  expect(await orderOf(won.claimId)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_buyer' });
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.reason).toBe('cancelled_by_buyer');
  expect((await winOne(t, sale, 'a')).unit).toBe(1);
});

test('a buyer cancels an unplaced claim, which is then never placed', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await cancelOrder(t, { saleId: sale.id, ...won });
  await writesNothing(t.redis, () => placeOrders(t, { saleId: sale.id, claims: [won] }));
  expect((await orderOf(won.claimId))?.status).toBe('cancelled');
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
});

test('a second cancellation changes nothing', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await cancelOrder(t, { saleId: sale.id, ...won });
  const again = await winOne(t, sale, 'a');
  await writesNothing(t.redis, () => cancelOrder(t, { saleId: sale.id, ...won }));
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.claimId).toBe(again.claimId);
});

test('four cancellations at once free the unit once', async () => {
  const sale = await openTestSale(t, { units: 2 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await Promise.all(Array.from({ length: 4 }, () => cancelOrder(t, { saleId: sale.id, ...won })));
  expect((await readSnapshot(t.redis, sale.id))?.stock.sort()).toEqual([1, 2]);
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(1);
});

test('a paid order stays paid', async () => {
  const sale = await openTestSale(t, { units: 1, priceMinor: 500 });
  await creditWallets(t.db, ['a'], { amountMinor: 500, currency: 'EUR' });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await payOrder(t, { saleId: sale.id, claimId: won.claimId, buyerId: 'a' });
  await cancelOrder(t, { saleId: sale.id, ...won });
  expect((await orderOf(won.claimId))?.status).toBe('paid');
  expect(await readBalance(t.db, 'a', 'EUR')).toBe(0);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.status).toBe('paid');
});

test('a buyer cannot cancel the order of another buyer', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await cancelOrder(t, { saleId: sale.id, ...won, buyerId: 'b' });
  expect((await orderOf(won.claimId))?.status).toBe('pending_payment');
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([]);
});

test('an order that is placed and cancelled at once ends cancelled, and no unit is lost', async () => {
  for (let i = 0; i < 30; i += 1) {
    const sale = await openTestSale(t, { units: 1 });
    const won = await winOne(t, sale, 'a');
    const both = [
      () => placeOrders(t, { saleId: sale.id, claims: [won] }),
      () => cancelOrder(t, { saleId: sale.id, ...won }),
    ];
    await Promise.all((i % 2 === 0 ? both : both.reverse()).map(run => run()));
    expect((await orderOf(won.claimId))?.status).toBe('cancelled');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.stock, snapshot?.outbox.size]).toEqual([[1], 0]);
    expect(snapshot?.claims.get('a')?.status).toBe('cancelled');
  }
});

test('a claim of a sale that Redis has lost is cancelled in Postgres, and its release waits', async () => {
  const sale = await openTestSale(t);
  const claim = aClaim();
  await t.redis.del(`${prefixOf(sale.id)}:sale`);
  await expect(cancelOrder(t, { saleId: sale.id, ...claim })).rejects.toThrow('unknown_sale');
  expect((await orderOf(claim.claimId))?.status).toBe('cancelled');
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id, deliveredAt: null } })).toBe(1);
});

test('cancelling and expiring at the same instant end each order once and free each unit once', async () => {
  const units = 40;
  const sale = await openTestSale(t, { units });
  const claims = await win(t, sale, ...buyers(units));
  await placeOrders(t, { saleId: sale.id, claims });
  await backdateDeadlines(t, claims);
  const calls = claims.flatMap(claim => [
    () => cancelOrder(t, { saleId: sale.id, ...claim }),
    () => expireOrders(t, { claimIds: [claim.claimId] }),
    () => cancelOrder(t, { saleId: sale.id, ...claim }),
  ]);
  // A call that gets no connection in time is repeated, as a job is.
  await Promise.all(calls.map(call => eventually<unknown>(call)));
  const ended = await t.db.order.groupBy({ by: ['status'], where: { saleId: sale.id }, _count: true });
  expect(ended).toEqual([{ status: 'cancelled', _count: units }]);
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(units);
  const stock = (await readSnapshot(t.redis, sale.id))?.stock.sort((a, b) => a - b);
  expect(stock).toEqual(claims.map(({ unit }) => unit));
});
