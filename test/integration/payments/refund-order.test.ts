import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { creditWallets, readBalance, readBalances } from '#core/postgres/money/wallet.js';
import type { Sale } from '#core/rules/sale.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { paymentRowOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';

const t = usePayments();

async function paidFromWallet(buyerId: string) {
  const sale = await openTestSale(t, { units: 2, priceMinor: PRICE });
  await creditWallets(t.db, [buyerId], { amountMinor: PRICE, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId });
  return { sale, claim };
}

const stockOf = async (sale: Sale) => (await readSnapshot(t.redis, sale.id))?.stock.sort();
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);

test('a refund to the wallet arrives at once and frees unit and buyer', async () => {
  const { sale, claim } = await paidFromWallet('back');
  expect(await refundOrder(t, { orderId: claim.claimId, restock: true })).toMatchObject({
    kind: 'refunded',
    now: true,
  });
  expect(await readBalance(t.db, 'back', 'EUR')).toBe(PRICE);
  expect(await stockOf(sale)).toEqual([1, 2]);
  expect(await win(t, sale, 'back')).toHaveLength(1);
});

test('ten refunds of one order give the money back once', async () => {
  const { sale, claim } = await paidFromWallet('ten');
  const results = await Promise.all(
    Array.from({ length: 10 }, () => refundOrder(t, { orderId: claim.claimId, restock: true })),
  );
  expect(results.filter(result => result.kind === 'refunded' && result.now)).toHaveLength(1);
  expect(await readBalance(t.db, 'ten', 'EUR')).toBe(PRICE);
  expect(await readStatement(t.db, 'ten', 10)).toMatchObject([
    { kind: 'credit', amountMinor: PRICE, balanceMinor: PRICE },
    { kind: 'capture', amountMinor: -PRICE, balanceMinor: 0, saleId: sale.id },
    { kind: 'refund', amountMinor: PRICE, balanceMinor: PRICE, orderId: claim.claimId },
  ]);
  expect(await readBalances(t.db, 'ten')).toEqual([{ currency: 'EUR', balanceMinor: PRICE }]);
  await expectProof(sale);
});

test('a refund that waits for a part to go back returns the rest', async () => {
  const { sale, claim } = await paidFromWallet('part-and-rest');
  const { claimId: orderId } = claim;
  const refunds = await whileHeld<{ kind: string }>(t.db, {
    hold: tx => tx.$queryRaw`SELECT FROM orders WHERE id = ${orderId}::uuid FOR UPDATE`,
    calls: [
      () => refundOrderPartially(t, { orderId, amountMinor: 1, refundedMinor: 0 }),
      () => refundOrder(t, { orderId, restock: true }),
    ],
  });
  expect(refunds).toMatchObject([{ kind: 'refunded' }, { kind: 'refunded' }]);
  expect(await readBalance(t.db, 'part-and-rest', 'EUR')).toBe(PRICE);
  await expectProof(sale);
});

test('a unit that does not return to stock stays withdrawn after a rebuild, and the buyer may buy again', async () => {
  const { sale, claim } = await paidFromWallet('broken');
  await refundOrder(t, { orderId: claim.claimId, restock: false });
  const other = [1, 2].filter(unit => unit !== claim.unit);
  expect(await stockOf(sale)).toEqual(other);
  await reconcileAll(t);
  expect(await stockOf(sale)).toEqual(other);
  await rebuild(t, sale.id);
  expect(await stockOf(sale)).toEqual(other);
  await expectProof(sale);
  expect((await winOne(t, sale, 'broken')).unit).toBe(other[0]);
});

test('an unpaid or unknown order is not refunded', async () => {
  const { claim } = await askToPay(t, 'unpaid');
  expect(await refundOrder(t, { orderId: claim.claimId, restock: true })).toMatchObject({ kind: 'not_paid' });
  expect(await refundOrder(t, { orderId: '00000000-0000-4000-8000-000000000000', restock: true })).toEqual({
    kind: 'unknown_order',
  });
});

test('a refund through the provider is retried until it succeeds, and happens once', async () => {
  const { sale, claim } = await askToPay(t, 'provider');
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await t.fake.mood({ down: true });
  await expect(finishPayments(t)).rejects.toThrow('503');
  await t.fake.mood({ down: false });
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { refundAt: new Date(0) } });
  await finishPayments(t);
  await finishPayments(t);
  const [payment] = (await t.fake.payments()).filter(({ orderId }) => orderId === claim.claimId);
  expect(payment).toMatchObject({ status: 'refunded', taken: 1, returned: 1 });
  expect(await t.db.payment.findFirst({ where: { orderId: claim.claimId } })).toMatchObject({ status: 'refunded' });
  await expectProof(sale);
});

test('money that the provider refuses to refund goes into the wallet, once', async () => {
  const { sale, claim } = await askToPay(t, 'refused');
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await t.fake.mood({ refuseRefunds: true });
  await finishPayments(t);
  await finishPayments(t);
  await t.fake.mood({ refuseRefunds: false });
  expect(await readBalance(t.db, 'refused', 'EUR')).toBe(PRICE);
  expect((await readStatement(t.db, 'refused', 10)).map(({ kind }) => kind)).toEqual(['refund_to_wallet']);
  await expectProof(sale);
});

/** Refunds an order that was paid at the provider. The provider doesn't know about the refund yet. */
async function owed(buyerId: string) {
  const { sale, claim } = await payAtProvider(t, buyerId);
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  return { sale, claim };
}

const due = (claimId: string) =>
  t.db.payment.updateMany({ where: { orderId: claimId }, data: { refundAt: new Date(0) } });

test('a refund in progress at the provider is retried, and never paid into the wallet', async () => {
  const { sale, claim } = await owed('slow');
  await t.fake.mood({ busyRefunds: true });
  await expect(finishPayments(t)).rejects.toThrow('409');
  await t.fake.mood({ busyRefunds: false });
  await due(claim.claimId);
  await finishPayments(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded' });
  expect(await readBalance(t.db, 'slow', 'EUR')).toBe(0);
  await expectProof(sale);
});

test('money that was refunded at the provider directly does not go into the wallet as well', async () => {
  const { sale, claim } = await owed('elsewhere');
  await t.fake.refund(claim.claimId);
  await finishPayments(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded' });
  expect(await readBalance(t.db, 'elsewhere', 'EUR')).toBe(0);
  await expectProof(sale);
});

test('a refund both into the wallet and at the provider is reported', async () => {
  const { claim } = await owed('both');
  await t.fake.mood({ refuseRefunds: true });
  await finishPayments(t);
  await t.fake.mood({ refuseRefunds: false });
  await t.fake.refund(claim.claimId);
  await applyEvents(t, claim, { type: 'charge.refunded' });
  const [event] = await t.db.$queryRaw<{ outcome: string }[]>`
    SELECT outcome FROM payment_events WHERE order_id = ${claim.claimId}::uuid ORDER BY id DESC LIMIT 1`;
  expect(event).toEqual({ outcome: 'refunded_elsewhere' });
});
