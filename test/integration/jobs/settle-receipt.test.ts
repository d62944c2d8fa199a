import { expect, test } from '@jest/globals';
import { reconcile } from '#core/maintenance/reconcile.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { settleReceipt } from '#core/steps/settle-receipt.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const orderOf = (claimId: string) => t.db.order.findUnique({ where: { id: claimId } });
const claimOf = async (saleId: string, buyerId: string) => (await readSnapshot(t.redis, saleId))?.claims.get(buyerId);

/** Loses the claim of `ann` in Redis. `bob` then wins the same unit. */
async function lostToAnother() {
  const sale = await openTestSale(t, { units: 1 });
  const lost = await winOne(t, sale, 'ann');
  await loseClaim(t, sale.id, lost);
  const other = await winOne(t, sale, 'bob');
  return { sale, lost, other };
}

test('an unplaced claim becomes rejected(lost), and is never placed afterwards', async () => {
  const { sale, lost, other } = await lostToAnother();
  await settleReceipt(t, { saleId: sale.id, ...lost });
  expect(await claimOf(sale.id, 'ann')).toMatchObject({ claimId: lost.claimId, status: 'rejected', reason: 'lost' });
  await placeOrders(t, { saleId: sale.id, claims: [other] });
  await cancelOrder(t, { saleId: sale.id, ...other });
  await placeOrders(t, { saleId: sale.id, claims: [lost] });
  expect(await orderOf(lost.claimId)).toMatchObject({ status: 'void', reason: 'lost' });
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
});

test('a claim that was placed in time keeps its unit, and its buyer sees it again', async () => {
  const { sale, lost, other } = await lostToAnother();
  await placeOrders(t, { saleId: sale.id, claims: [lost] });
  await settleReceipt(t, { saleId: sale.id, ...lost });
  expect(await orderOf(lost.claimId)).toMatchObject({ status: 'pending_payment' });
  expect(await claimOf(sale.id, 'ann')).toBeUndefined();
  await placeOrders(t, { saleId: sale.id, claims: [other] });
  await reconcile(t, sale.id);
  expect(await claimOf(sale.id, 'ann')).toMatchObject({ claimId: lost.claimId, status: 'pending_payment' });
  expect(await claimOf(sale.id, 'bob')).toMatchObject({ status: 'rejected', reason: 'lost' });
});

test.each(['the tombstone', 'the placing'])(
  'of tombstone and placing at once one wins, and its buyer reads the winner: %s first',
  async first => {
    const { sale, lost, other } = await lostToAnother();
    await placeOrders(t, { saleId: sale.id, claims: [other] });
    await cancelOrder(t, { saleId: sale.id, ...other });
    const steps = [settleReceipt(t, { saleId: sale.id, ...lost }), placeOrders(t, { saleId: sale.id, claims: [lost] })];
    await Promise.all(first === 'the placing' ? steps.reverse() : steps);
    await settleReceipt(t, { saleId: sale.id, ...lost });
    const expected = { void: 'rejected', pending_payment: 'pending_payment' }[
      String((await orderOf(lost.claimId))?.status)
    ];
    expect((await claimOf(sale.id, 'ann'))?.status).toBe(expected);
  },
);

test('a second run changes nothing', async () => {
  const { sale, lost } = await lostToAnother();
  await settleReceipt(t, { saleId: sale.id, ...lost });
  await writesNothing(t.redis, () => settleReceipt(t, { saleId: sale.id, ...lost }));
});
