import { expect, test } from '@jest/globals';
import { type PartialRefund, refundRow, refundRowPartially } from '#core/postgres/money/refund.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { orderOf, paymentOf, paymentRowOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';
import { openTestSale, winOne } from '../../../support/sales.js';

const t = usePayments();

/** An order that its buyer has paid from the wallet, which is empty then. */
async function paidFromWallet(buyerId: string, priceMinor = PRICE) {
  const sale = await openTestSale(t, { priceMinor });
  if (priceMinor > 0) await creditWallets(t.db, [buyerId], { amountMinor: priceMinor, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId });
  return { saleId: sale.id, orderId: claim.claimId, unit: claim.unit };
}

const part = (orderId: string, change: Partial<PartialRefund> = {}) =>
  refundRowPartially(t.db, { orderId, amountMinor: PART, refundedMinor: 0, ...change });
const balanceOf = (buyerId: string) => readBalance(t.db, buyerId, 'EUR');
const withdrawnOf = (orderId: string) => t.db.withdrawnUnit.findMany({ where: { orderId } });

test('a refund ends the order, frees unit and buyer, and fills the wallet at once', async () => {
  const { saleId, orderId } = await paidFromWallet('whole');
  const { version } = await orderOf(t, orderId);
  const release = { id: expect.any(BigInt), saleId, claimId: orderId, buyerId: 'whole', freesUnit: true };
  expect(await refundRow(t.db, { orderId, restock: true })).toEqual([
    { ...release, status: 'refunded', reason: 'refunded_by_shop' },
  ]);
  expect(await refundRow(t.db, { orderId, restock: true })).toEqual([]);
  const ended = { status: 'refunded', reason: 'refunded_by_shop', version: version + 1 };
  expect(await orderOf(t, orderId)).toMatchObject(ended);
  expect(await balanceOf('whole')).toBe(PRICE);
  expect(await withdrawnOf(orderId)).toEqual([]);
  expect(await transfersOf(t, orderId)).toEqual([
    ['capture', PRICE],
    ['refund', PRICE],
  ]);
});

test('a unit that does not return to stock is withdrawn', async () => {
  const { saleId, orderId, unit } = await paidFromWallet('withdrawn');
  expect(await refundRow(t.db, { orderId, restock: false })).toMatchObject([{ claimId: orderId, freesUnit: false }]);
  expect(await withdrawnOf(orderId)).toMatchObject([{ saleId, unit, orderId }]);
});

test('a free order gives 0 back, and an order whose money went back whole gives nothing more', async () => {
  const { orderId } = await paidFromWallet('free', 0);
  expect(await refundRow(t.db, { orderId, restock: true })).toHaveLength(1);
  expect(await transfersOf(t, orderId)).toEqual([
    ['capture', 0],
    ['refund', 0],
  ]);
  const { orderId: gone } = await paidFromWallet('gone');
  await t.db.$executeRaw`UPDATE orders SET refunded_minor = ${PRICE}, version = version + 1 WHERE id = ${gone}::uuid`;
  expect(await refundRow(t.db, { orderId: gone, restock: true })).toHaveLength(1);
  expect(await transfersOf(t, gone)).toEqual([['capture', PRICE]]);
});

test('a refund at a provider becomes due, and no wallet gets it', async () => {
  const { claim } = await payAtProvider(t, 'provider');
  const { claimId: orderId } = claim;
  expect(await refundRow(t.db, { orderId, restock: true })).toHaveLength(1);
  const due = { status: 'refund_due', refundMinor: BigInt(PRICE), refundAt: expect.any(Date) };
  expect(await paymentRowOf(t, orderId)).toMatchObject(due);
  const [, refund] = await t.db.transfer.findMany({
    where: { orderId },
    orderBy: { id: 'asc' },
    include: { debitAccount: true, creditAccount: true },
  });
  expect(refund).toMatchObject({
    kind: 'refund',
    amountMinor: BigInt(PRICE),
    currency: 'EUR',
    debitAccount: { kind: 'shop' },
    creditAccount: { kind: 'external', owner: 'signed-webhook', balanceMinor: null },
  });
  expect(await balanceOf('provider')).toBe(0);
  // The provider has returned the money, and another process refunds the order once more.
  const data = { status: 'refunded', refundAt: null, returnedMinor: PRICE };
  await t.db.payment.updateMany({ where: { orderId }, data });
  const before = await paymentRowOf(t, orderId);
  expect(await refundRow(t.db, { orderId, restock: true })).toEqual([]);
  expect(await paymentRowOf(t, orderId)).toEqual(before);
});

test('an order that is not paid gives nothing back, whole or in part', async () => {
  const { claim } = await askToPay(t, 'unpaid');
  const { claimId: orderId } = claim;
  expect(await refundRow(t.db, { orderId, restock: false })).toEqual([]);
  expect(await part(orderId)).toEqual({ kind: 'not_paid' });
  expect(await part('00000000-0000-4000-8000-000000000000')).toEqual({ kind: 'not_paid' });
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'pending_payment', refundedMinor: 0n });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'open', refundAt: null });
  expect([await transfersOf(t, orderId), await withdrawnOf(orderId)]).toEqual([[], []]);
});

test('parts go into the wallet, each once and only on top of what was seen, and less than the whole', async () => {
  const { saleId, orderId } = await paidFromWallet('parts');
  await paidFromWallet('parts-other');
  const { version } = await orderOf(t, orderId);
  expect(await part(orderId)).toEqual({ kind: 'refunded', refundedMinor: PART, saleId });
  expect(await part(orderId)).toEqual({ kind: 'changed_meanwhile', refundedMinor: PART });
  const rest = PRICE - PART;
  expect(await part(orderId, { refundedMinor: PART, amountMinor: rest })).toEqual({
    kind: 'too_much',
    restMinor: rest,
  });
  expect(await part(orderId, { refundedMinor: PART, amountMinor: rest - 1 })).toMatchObject({
    refundedMinor: PRICE - 1,
  });
  expect(await orderOf(t, orderId)).toMatchObject({
    status: 'paid',
    refundedMinor: BigInt(PRICE - 1),
    version: version + 2,
  });
  expect([await balanceOf('parts'), await balanceOf('parts-other')]).toEqual([PRICE - 1, 0]);
  expect(await refundRow(t.db, { orderId, restock: true })).toHaveLength(1);
  expect(await balanceOf('parts')).toBe(PRICE);
  const transfers = await t.db.transfer.findMany({ where: { orderId, kind: 'refund' }, orderBy: { id: 'asc' } });
  expect(transfers.map(({ part: number, amountMinor }) => [number, Number(amountMinor)])).toEqual([
    [0, PART],
    [1, rest - 1],
    [2, 1],
  ]);
});

test('a part at a provider becomes due on top of what lost disputes gave back', async () => {
  const { claim } = await payAtProvider(t, 'kept');
  const { claimId: orderId } = claim;
  const { id: paymentId, provider, saleId } = await paymentOf(t, orderId);
  const dispute = { paymentId, provider, providerDisputeId: 'dp_1', amountMinor: 100, currency: 'EUR' };
  await t.db.dispute.create({ data: { ...dispute, status: 'lost' } });
  expect(await part(orderId, { amountMinor: PRICE - 100 })).toEqual({ kind: 'too_much', restMinor: PRICE - 100 });
  expect(await part(orderId)).toEqual({ kind: 'refunded', refundedMinor: 100 + PART, saleId });
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(100 + PART) });
  const due = { status: 'paid', refundMinor: BigInt(100 + PART), refundAt: expect.any(Date) };
  expect(await paymentRowOf(t, orderId)).toMatchObject(due);
  expect(await balanceOf('kept')).toBe(0);
});
