import { expect, test } from '@jest/globals';
import { payAfterAll, payWithLateMoney, readLateMoney, refundLateMoney } from '#core/postgres/money/late-money.js';
import { applyAnswer } from '#core/postgres/money/payment-report.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { orderOf, paidReport, paymentOf, paymentRowOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();

/** Moves the deadline of an order to some seconds from now. */
const endIn = (orderId: string, seconds: number) => t.db.$executeRaw`UPDATE orders SET version = version + 1,
  pay_by = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${orderId}::uuid`;

/** Lets the money of an order come late. The provider has returned some of it. */
async function takeLate(orderId: string, refundedMinor: number) {
  const report = { ...(await paidReport(t, orderId)), refundedMinor };
  expect((await applyAnswer(t.db, 'signed-webhook', report)).outcome).toBe('late');
}

/** Late money of an order that its buyer has cancelled. */
async function late(buyerId: string, refundedMinor = 0) {
  const { sale, claim } = await askToPay(t, buyerId);
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await takeLate(claim.claimId, refundedMinor);
  return { orderId: claim.claimId, claim };
}

/** Late money of an order that is overdue and was not cancelled yet. */
async function overdue(buyerId: string, refundedMinor = 0) {
  const { claim } = await askToPay(t, buyerId);
  await endIn(claim.claimId, -1);
  await takeLate(claim.claimId, refundedMinor);
  return claim.claimId;
}

const readAfter = async (id: bigint, limit = 100) => (await readLateMoney(t.db, limit, id)).map(one => one.orderId);

test('undecided late money is read in the order of its payments, after the last one that was read', async () => {
  const { orderId: first } = await late('page-1');
  await payAtProvider(t, 'page-paid');
  const { orderId: second } = await late('page-2');
  const { orderId: third } = await late('page-3');
  const { id } = await paymentOf(t, first);
  expect(await readAfter(id - 1n, 2)).toEqual([first, second]);
  expect((await readAfter(id)).slice(0, 2)).toEqual([second, third]);
});

test('late money pays a new order, once', async () => {
  const { orderId, claim } = await late('again');
  const { claim: other } = await askToPay(t, 'again');
  const payment = await paymentOf(t, orderId);
  const again = { ...claim, claimId: payment.regrabClaimId };
  expect(await payWithLateMoney(t.db, payment, again)).toBe(true);
  expect(await payWithLateMoney(t.db, payment, again)).toBe(false);
  const order = await orderOf(t, again.claimId);
  expect(order).toMatchObject({ status: 'paid', buyerId: 'again', refundedMinor: 0n, version: 2 });
  expect(order.paidAt?.getTime()).toBeLessThan(order.payBy.getTime());
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_buyer' });
  expect(await orderOf(t, other.claimId)).toMatchObject({ status: 'pending_payment' });
  expect([await transfersOf(t, orderId), await transfersOf(t, again.claimId)]).toEqual([[], [['capture', PRICE]]]);
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'paid', paidOrderId: again.claimId, refundAt: null });
});

test('the part of late money that went back before is booked with the order that it pays', async () => {
  const { orderId, claim } = await late('again-part', PART);
  const payment = await paymentOf(t, orderId);
  const again = { ...claim, claimId: payment.regrabClaimId };
  expect(await payWithLateMoney(t.db, payment, again)).toBe(true);
  const after = await overdue('after-part', PART);
  await endIn(after, 60);
  expect(await payAfterAll(t.db, await paymentOf(t, after))).toBe(true);
  for (const id of [again.claimId, after]) {
    expect(await orderOf(t, id)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PART) });
    expect(await transfersOf(t, id)).toEqual([
      ['capture', PRICE],
      ['refund', PART],
    ]);
  }
});

test('late money pays its own order after the deadline was moved, once', async () => {
  const orderId = await overdue('moved');
  const payment = await paymentOf(t, orderId);
  expect(await payAfterAll(t.db, payment)).toBe(false);
  expect(await refundLateMoney(t.db, payment)).toBe(false);
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'late', paidOrderId: null, refundAt: null });
  await endIn(orderId, 60);
  expect(await payAfterAll(t.db, payment)).toBe(true);
  expect(await payAfterAll(t.db, payment)).toBe(false);
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'paid' });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'paid', paidOrderId: orderId });
  expect(await transfersOf(t, orderId)).toEqual([['capture', PRICE]]);
});

test('late money of an ended order is booked in and out once, and its order says why', async () => {
  const { orderId } = await late('back');
  const { orderId: other } = await late('beside');
  const { version } = await orderOf(t, orderId);
  const payment = await paymentOf(t, orderId);
  expect(await refundLateMoney(t.db, payment)).toBe(true);
  expect(await refundLateMoney(t.db, payment)).toBe(false);
  expect(await payWithLateMoney(t.db, payment, { buyerId: 'back', claimId: payment.regrabClaimId, unit: 1 })).toBe(
    false,
  );
  const ended = { status: 'cancelled', reason: 'refunded_late_payment', version: version + 1 };
  expect(await orderOf(t, orderId)).toMatchObject(ended);
  expect(await orderOf(t, other)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_buyer' });
  const due = { status: 'refund_due', refundMinor: BigInt(PRICE), refundAt: expect.any(Date), mismatch: null };
  expect(await paymentRowOf(t, orderId)).toMatchObject(due);
  expect(await transfersOf(t, orderId)).toEqual([
    ['capture', PRICE],
    ['refund', PRICE],
  ]);
});

test('late money of an order that another payment has paid is a surplus, and is not booked', async () => {
  const { claim } = await askToPay(t, 'surplus');
  const { claimId: orderId } = claim;
  const { id, ...first } = await t.db.payment.findFirstOrThrow({ where: { orderId } });
  await t.db.payment.update({ where: { id }, data: { status: 'failed' } });
  const second = { ...first, attempt: 2, providerPaymentId: `second ${orderId}`, status: 'open' };
  const { mismatch: _, ...data } = { ...second, regrabClaimId: first.regrabClaimId.replace(/^..../, '0000') };
  await t.db.payment.create({ data });
  await applyAnswer(t.db, 'signed-webhook', await paidReport(t, orderId));
  const paymentId = first.providerPaymentId ?? '';
  const report = { paymentId, orderId, state: 'paid', amountMinor: PRICE, currency: 'EUR' } as const;
  const { payment } = await applyAnswer(t.db, 'signed-webhook', report);
  if (!payment) throw new Error('no payment');
  expect(await refundLateMoney(t.db, payment)).toBe(true);
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'paid', reason: null });
  expect(await transfersOf(t, orderId)).toEqual([['capture', PRICE]]);
  const { orderId: __, ...mismatch } = report;
  expect(await t.db.payment.findUnique({ where: { id } })).toMatchObject({
    status: 'refund_due',
    mismatch,
    refundAt: expect.any(Date),
    refundMinor: BigInt(PRICE),
  });
});
