import { expect, test } from '@jest/globals';
import { Prisma } from '#core/postgres/database.js';
import { lockPayment, requestPayment } from '#core/postgres/money/payment.js';
import { changePayment, markOpen, markRefused, type PaymentChange } from '#core/postgres/money/payment-change.js';
import type { PaymentMoney } from '#core/rules/payment-money.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { orderOf, paymentOf, paymentRowOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';
import { openTestSale, winOne } from '../../../support/sales.js';

const t = usePayments();
const FUTURE = new Date('2100-01-01');

/** Changes the payment of an order: its amounts, and what else is given. */
function apply(orderId: string, money: Partial<PaymentMoney>, more: Omit<PaymentChange, 'money'> = {}) {
  return t.db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.order_id = ${orderId}::uuid`);
    if (!payment) throw new Error('no payment');
    return changePayment(tx, payment, { money: { ...payment.money, ...money }, ...more });
  });
}

type Change = NonNullable<Parameters<typeof t.db.payment.updateMany>[0]>['data'];
const set = (orderId: string, data: Change) => t.db.payment.updateMany({ where: { orderId }, data });
const amountsOf = async (orderId: string) =>
  (await transfersOf(t, orderId)).map(([kind, amountMinor]) => `${kind} ${amountMinor}`);
const isDue = async (orderId: string) => {
  const { refundAt } = await paymentRowOf(t, orderId);
  return refundAt === null ? null : refundAt < FUTURE;
};

/** A payment that is only recorded, as a worker leaves it that dies before it calls the provider. */
async function recorded(buyerId: string) {
  const sale = await openTestSale(t, { priceMinor: PRICE, provider: 'signed-webhook' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  const payment = await requestPayment(t.db, { orderId: claim.claimId, buyerId });
  if (!payment) throw new Error('no payment');
  return payment;
}

test('a payment never goes back to an earlier status, and then nothing is changed', async () => {
  const { claim } = await payAtProvider(t, 'never');
  const before = await paymentRowOf(t, claim.claimId);
  for (const status of ['requested', 'open', 'failed', 'late'] as const) {
    await expect(apply(claim.claimId, { status, refundMinor: 1 })).rejects.toThrow(`paid never becomes ${status}`);
  }
  expect(await paymentRowOf(t, claim.claimId)).toEqual(before);
});

test('a fact that is not given stays as it is, and one that is given is returned', async () => {
  const { claim } = await askToPay(t, 'given');
  const { claim: other } = await askToPay(t, 'given-other');
  const { claimId: orderId } = claim;
  const before = await paymentOf(t, orderId);
  const { updatedAt } = await paymentRowOf(t, orderId);
  expect(await apply(orderId, {})).toEqual(before);
  expect(await paymentOf(t, orderId)).toEqual(before);
  const row = await paymentRowOf(t, orderId);
  expect(row.updatedAt.getTime()).toBeGreaterThanOrEqual(updatedAt.getTime());
  expect(row.updatedAt).not.toEqual(updatedAt);
  const mismatch = { state: 'paid', paymentId: 'pi_new', amountMinor: 1, currency: 'EUR' } as const;
  const given = { paymentId: 'pi_new', payUrl: 'https://pay.example/new', mismatch };
  const after = await apply(
    orderId,
    { status: 'refund_due', takenMinor: 1, refundMinor: 1 },
    { ...given, paidOrderId: other.claimId },
  );
  expect(after).toMatchObject({ ...given, status: 'refund_due', bookedOrderId: other.claimId });
  expect(await paymentOf(t, orderId)).toMatchObject({ ...given, status: 'refund_due', bookedOrderId: other.claimId });
  expect(await apply(orderId, { status: 'refunded', returnedMinor: 1 })).toMatchObject({
    ...given,
    status: 'refunded',
  });
});

test('a payment that is decided is asked about no more, unless a question is due', async () => {
  const { claim } = await askToPay(t, 'asked');
  const { claimId: orderId } = claim;
  await set(orderId, { askAt: FUTURE });
  await apply(orderId, { status: 'open' });
  expect((await paymentRowOf(t, orderId)).askAt).toEqual(FUTURE);
  await apply(orderId, { status: 'failed' });
  expect((await paymentRowOf(t, orderId)).askAt).toBeNull();
  await set(orderId, { askAt: new Date(1_000) });
  await apply(orderId, { status: 'late', takenMinor: PRICE });
  expect((await paymentRowOf(t, orderId)).askAt).toEqual(new Date(1_000));
  const { orderId: requested } = await recorded('asked-recorded');
  await set(requested, { askAt: FUTURE });
  await apply(requested, {});
  expect((await paymentRowOf(t, requested)).askAt).toEqual(FUTURE);
});

test('a refund is tried at once when more is owed or a dispute ends, and keeps its time otherwise', async () => {
  const { claim } = await payAtProvider(t, 'owed');
  const { claimId: orderId } = claim;
  await apply(orderId, { refundMinor: 10 });
  expect(await isDue(orderId)).toBe(true);
  await set(orderId, { refundAt: FUTURE });
  await apply(orderId, {});
  expect(await isDue(orderId)).toBe(false);
  await apply(orderId, { returnedMinor: 4 });
  expect(await isDue(orderId)).toBe(false);
  await apply(orderId, { refundMinor: 11 });
  expect(await isDue(orderId)).toBe(true);
  await set(orderId, { refundAt: FUTURE });
  await apply(orderId, { withheldMinor: 5 });
  expect(await isDue(orderId)).toBe(false);
  const { id: paymentId, provider } = await paymentOf(t, orderId);
  const dispute = { paymentId, provider, providerDisputeId: 'dp_1', amountMinor: 5, currency: 'EUR', status: 'open' };
  await t.db.dispute.create({ data: dispute });
  await apply(orderId, { withheldMinor: 3 });
  expect(await isDue(orderId)).toBe(false);
  await apply(orderId, { withheldMinor: 0 });
  expect(await isDue(orderId)).toBe(true);
  await set(orderId, { refundAt: null });
  await apply(orderId, { withheldMinor: 5 });
  expect(await isDue(orderId)).toBe(true);
  await apply(orderId, { returnedMinor: 11 });
  expect(await isDue(orderId)).toBeNull();
});

test('a part that goes back of a paid order is booked on top of what went back before', async () => {
  const { claim } = await payAtProvider(t, 'part');
  const { claimId: orderId } = claim;
  const { version } = await orderOf(t, orderId);
  await apply(orderId, { refundMinor: PART });
  await apply(orderId, { returnedMinor: PART });
  await apply(orderId, { refundMinor: PART + 1 });
  expect(await amountsOf(orderId)).toEqual([`capture ${PRICE}`, `refund ${PART}`, 'refund 1']);
  expect(await orderOf(t, orderId)).toMatchObject({ refundedMinor: BigInt(PART + 1), version: version + 2 });
  const totals = { refundMinor: BigInt(PART + 1), returnedMinor: BigInt(PART), compensatedMinor: 0n };
  expect(await paymentRowOf(t, orderId)).toMatchObject(totals);
  await apply(orderId, { compensatedMinor: 1 });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ ...totals, compensatedMinor: 1n, refundAt: null });
});

test('the ledger follows what disputes withhold, up and down', async () => {
  const { claim } = await payAtProvider(t, 'withheld');
  const { claim: other } = await payAtProvider(t, 'withheld-other');
  const { claimId: orderId } = claim;
  await apply(other.claimId, { withheldMinor: 7 });
  await apply(orderId, { withheldMinor: 20 });
  await apply(orderId, { withheldMinor: 20 });
  await apply(orderId, { withheldMinor: 20, lostMinor: 30 });
  for (let i = 0; i < 2; i += 1) await apply(orderId, { withheldMinor: 0, lostMinor: 30 });
  expect(await amountsOf(orderId)).toEqual([`capture ${PRICE}`, 'dispute 20', 'dispute 30', 'dispute_reversal 20']);
});

test.each([
  { name: 'unpaid', change: {} },
  { name: 'late', change: { status: 'late' } },
])('nothing is booked for a payment that is $name', async ({ name, change }) => {
  const { claim } = await askToPay(t, name);
  await set(claim.claimId, change);
  await apply(claim.claimId, { withheldMinor: 5 });
  await apply(claim.claimId, { refundMinor: 5, withheldMinor: 0 });
  expect(await amountsOf(claim.claimId)).toEqual([]);
});

test('nothing is booked for money that nobody asked for', async () => {
  const { claim } = await payAtProvider(t, 'unwanted');
  const mismatch = { state: 'paid', paymentId: 'pi', amountMinor: PRICE, currency: 'EUR' } as const;
  await apply(claim.claimId, { refundMinor: 5, withheldMinor: 5 }, { mismatch });
  expect(await amountsOf(claim.claimId)).toEqual([`capture ${PRICE}`]);
  expect(await orderOf(t, claim.claimId)).toMatchObject({ refundedMinor: 0n });
});

test('a payment that is created at its provider is open, unless its outcome is known', async () => {
  const { id, orderId } = await recorded('created');
  const payUrl = 'https://pay.example/1';
  expect(await markOpen(t.db, id, { paymentId: 'pi_1', payUrl })).toBe('open');
  expect(await paymentOf(t, orderId)).toMatchObject({ status: 'open', paymentId: 'pi_1', payUrl });
  expect(await markOpen(t.db, id, { paymentId: 'pi_2', payUrl: `${payUrl}?again` })).toBe('open');
  expect(await paymentOf(t, orderId)).toMatchObject({ paymentId: 'pi_1', payUrl: `${payUrl}?again` });
  await set(orderId, { status: 'failed' });
  expect(await markOpen(t.db, id, { paymentId: 'pi_1', payUrl })).toBe('failed');
  expect(await paymentOf(t, orderId)).toMatchObject({ status: 'failed', payUrl });
  expect(await markOpen(t.db, -1n, { paymentId: 'pi_1', payUrl })).toBe('failed');
});

test('a payment that its provider refuses to create has failed, and nobody asks about it', async () => {
  const { id, orderId } = await recorded('refused');
  await set(orderId, { askAt: new Date(1_000) });
  await markRefused(t.db, id);
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'failed', askAt: null });
  const { claim } = await askToPay(t, 'refused-open');
  const before = await paymentRowOf(t, claim.claimId);
  await markRefused(t.db, before.id);
  await markRefused(t.db, -1n);
  expect(await paymentRowOf(t, claim.claimId)).toEqual(before);
});
