import { expect, test } from '@jest/globals';
import { bookWithOutside, type OutsideTransfer, payRow } from '#core/postgres/money/capture.js';
import type { Payment } from '#core/postgres/money/payment.js';
import { insertShopAccounts, insertWallets } from '#core/postgres/money/wallet.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { orderOf, paymentOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();

const book = (payment: Payment, transfer: OutsideTransfer) =>
  t.db.$transaction(tx => bookWithOutside(tx, payment, transfer));
const pay = (payment: Payment) => t.db.$transaction(tx => payRow(tx, payment));

/** Moves the deadline of an order to some seconds from now. */
const endIn = (orderId: string, seconds: number) => t.db.$executeRaw`UPDATE orders SET version = version + 1,
  pay_by = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${orderId}::uuid`;

async function movementsOf(orderId: string) {
  const transfers = await t.db.transfer.findMany({
    where: { orderId },
    orderBy: { id: 'asc' },
    include: { debitAccount: true, creditAccount: true },
  });
  return transfers.map(
    ({ kind, part, amountMinor, currency, debitAccount: from, creditAccount: to }) =>
      `${kind} ${part}: ${amountMinor} ${currency} from ${from.kind} ${from.owner} to ${to.kind} ${to.owner}`,
  );
}

test('money comes from the account of its provider to that of the shop, and goes back in numbered parts', async () => {
  // None of these is the account of the shop or of the provider.
  await insertShopAccounts(t.db, 'JPY');
  await insertWallets(t.db, ['shop', 'signed-webhook'], 'EUR');
  await t.db.account.create({ data: { kind: 'shop', owner: 'other', currency: 'EUR' } });
  const { claim: earlier } = await payAtProvider(t, 'earlier');
  await book(await paymentOf(t, earlier.claimId), { kind: 'refund', amountMinor: 1 });
  const { claim } = await payAtProvider(t, 'parts');
  const payment = await paymentOf(t, claim.claimId);
  for (const amountMinor of [1, 2]) {
    await book(payment, { kind: 'refund', amountMinor });
    await book(payment, { kind: 'dispute', amountMinor });
    await book(payment, { kind: 'dispute_reversal', amountMinor });
  }
  const [provider, shop] = ['external signed-webhook', 'shop shop'];
  expect(await movementsOf(claim.claimId)).toEqual([
    `capture 0: ${PRICE} EUR from ${provider} to ${shop}`,
    `refund 0: 1 EUR from ${shop} to ${provider}`,
    `dispute 0: 1 EUR from ${shop} to ${provider}`,
    `dispute_reversal 0: 1 EUR from ${provider} to ${shop}`,
    `refund 1: 2 EUR from ${shop} to ${provider}`,
    `dispute 1: 2 EUR from ${shop} to ${provider}`,
    `dispute_reversal 1: 2 EUR from ${provider} to ${shop}`,
  ]);
});

test('a movement is booked on the order that the money pays for', async () => {
  const { claim } = await askToPay(t, 'first');
  const { claim: other } = await askToPay(t, 'second');
  const payment = await paymentOf(t, claim.claimId);
  await book({ ...payment, bookedOrderId: other.claimId }, { kind: 'capture', amountMinor: PRICE });
  expect([await transfersOf(t, claim.claimId), await transfersOf(t, other.claimId)]).toEqual([
    [],
    [['capture', PRICE]],
  ]);
});

test('a second capture of an order, and a movement without an account, are refused', async () => {
  const { claim } = await payAtProvider(t, 'refused');
  const payment = await paymentOf(t, claim.claimId);
  await expect(book(payment, { kind: 'capture', amountMinor: PRICE })).rejects.toThrow();
  await expect(book({ ...payment, currency: 'KWD' }, { kind: 'refund', amountMinor: 1 })).rejects.toThrow('no account');
  expect(await transfersOf(t, claim.claimId)).toEqual([['capture', PRICE]]);
});

test('a payment in time pays its order, and no other one', async () => {
  const { claim } = await askToPay(t, 'in-time');
  const { claim: other } = await askToPay(t, 'beside');
  const before = await orderOf(t, claim.claimId);
  expect(await pay(await paymentOf(t, claim.claimId))).toBe(true);
  const after = await orderOf(t, claim.claimId);
  expect(after).toMatchObject({ status: 'paid', version: before.version + 1 });
  expect(after.paidAt?.getTime()).toBeLessThan(after.payBy.getTime());
  expect(await transfersOf(t, claim.claimId)).toEqual([['capture', PRICE]]);
  expect(await orderOf(t, other.claimId)).toMatchObject({ status: 'pending_payment', paidAt: null });
  expect(await pay(await paymentOf(t, claim.claimId))).toBe(false);
});

test('an order that has ended or is overdue is not paid, and nothing is booked', async () => {
  const { sale, claim: ended } = await askToPay(t, 'ended');
  await cancelOrder(t, { saleId: sale.id, ...ended });
  const { claim: overdue } = await askToPay(t, 'overdue');
  await endIn(overdue.claimId, -1);
  for (const { claimId } of [ended, overdue]) {
    const before = await orderOf(t, claimId);
    expect(await pay(await paymentOf(t, claimId))).toBe(false);
    expect(await orderOf(t, claimId)).toEqual(before);
    expect(await transfersOf(t, claimId)).toEqual([]);
  }
});

test('a payment whose click had to wait pays after the deadline, and counts as paid at the deadline', async () => {
  const { claim } = await askToPay(t, 'waited');
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { waitedMs: 60_000 } });
  await endIn(claim.claimId, -30);
  expect(await pay(await paymentOf(t, claim.claimId))).toBe(true);
  const { paidAt, payBy } = await orderOf(t, claim.claimId);
  expect(paidAt).toEqual(payBy);
});
