import { expect, test } from '@jest/globals';
import { Prisma } from '#core/postgres/database.js';
import { lockPayment, readLatestPayment, requestPayment } from '#core/postgres/money/payment.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { orderOf, paymentOf, paymentRowOf } from '../../../support/money/reading.js';
import { unpaidOrders } from '../../../support/money/unpaid-orders.js';
import { NO_MONEY } from '../../../support/no-money.js';
import { askToPay, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();
const HOUR = 3_600;

type Change = NonNullable<Parameters<typeof t.db.payment.updateMany>[0]>['data'];
const change = (orderId: string, data: Change) => t.db.payment.updateMany({ where: { orderId }, data });

const { place, endIn, clockMs } = unpaidOrders(t);

const moneyOf = async (orderId: string) => (await paymentOf(t, orderId)).money;

test('a payment is read with the facts of its order', async () => {
  const { sale, claim } = await askToPay(t, 'reader');
  const { claimId: orderId } = claim;
  const row = await paymentRowOf(t, orderId);
  const { payBy } = await orderOf(t, orderId);
  expect(await readLatestPayment(t.db, orderId, 'reader')).toEqual({
    id: row.id,
    orderId,
    attempt: 1,
    saleId: sale.id,
    buyerId: 'reader',
    provider: 'signed-webhook',
    paymentId: row.providerPaymentId,
    payUrl: row.payUrl,
    amountMinor: PRICE,
    currency: 'EUR',
    status: 'open',
    regrabClaimId: row.regrabClaimId,
    payByMs: payBy.getTime(),
    payable: true,
    money: { ...NO_MONEY, status: 'open' },
    takenCurrency: 'EUR',
    mismatch: null,
    bookedOrderId: orderId,
    refunding: null,
    refundTries: 0,
  });
  expect(await readLatestPayment(t.db, orderId, 'another')).toBeUndefined();
  expect(row.regrabClaimId > orderId).toBe(true);
});

test('other money than was asked for is read as it was taken, and what pays for another order as booked there', async () => {
  const { claim } = await payAtProvider(t, 'other-money');
  const { claim: other } = await askToPay(t, 'other-order');
  const { claimId: orderId } = claim;
  const mismatch = { state: 'paid', paymentId: 'pi', amountMinor: 7, currency: 'USD' } as const;
  await change(orderId, { mismatch, paidOrderId: other.claimId, refundTries: 4, status: 'refund_due' });
  const payment = await paymentOf(t, orderId);
  const facts = { takenCurrency: 'USD', mismatch, bookedOrderId: other.claimId, refundTries: 4 };
  expect(payment).toMatchObject({ ...facts, amountMinor: PRICE, currency: 'EUR' });
  expect(payment.money).toMatchObject({ takenMinor: 7, refundMinor: 7, returnedMinor: 0 });
});

test('of a payment that counts as refunded, what nobody else gave back has come from the provider', async () => {
  const { claim } = await payAtProvider(t, 'older');
  const { claimId: orderId } = claim;
  await change(orderId, { refundMinor: 5, returnedMinor: 3 });
  expect(await moneyOf(orderId)).toMatchObject({ takenMinor: PRICE, refundMinor: 5, returnedMinor: 3 });
  await change(orderId, { status: 'refund_due' });
  expect(await moneyOf(orderId)).toMatchObject({ refundMinor: PRICE, returnedMinor: 3 });
  const { id: paymentId, provider } = await paymentOf(t, orderId);
  const lost = { paymentId, provider, providerDisputeId: 'dp_1', status: 'lost', amountMinor: 20, currency: 'EUR' };
  await t.db.dispute.create({ data: lost });
  await change(orderId, { status: 'refunded', compensatedMinor: 100, refundAt: null });
  const refunded = { refundMinor: PRICE, compensatedMinor: 100, lostMinor: 20 };
  expect(await moneyOf(orderId)).toMatchObject({ ...refunded, returnedMinor: PRICE - 120 });
  await change(orderId, { returnedMinor: PRICE - 1 });
  expect(await moneyOf(orderId)).toMatchObject({ ...refunded, returnedMinor: PRICE - 1 });
});

test('disputes of the currency that was taken withhold and keep money', async () => {
  const { claim } = await payAtProvider(t, 'disputes');
  const { claim: other } = await payAtProvider(t, 'disputes-other');
  const { claimId: orderId } = claim;
  const add = async (
    id: string,
    data: { providerDisputeId: string; status: string; amountMinor: number; currency?: string },
  ) => {
    const { id: paymentId, provider } = await paymentOf(t, id);
    await t.db.dispute.create({ data: { paymentId, provider, currency: 'EUR', ...data } });
  };
  await add(other.claimId, { providerDisputeId: 'a', status: 'open', amountMinor: 1_000 });
  await add(orderId, { providerDisputeId: 'b', status: 'open', amountMinor: 1 });
  await add(orderId, { providerDisputeId: 'c', status: 'open', amountMinor: 2 });
  await add(orderId, { providerDisputeId: 'd', status: 'lost', amountMinor: 4 });
  await add(orderId, { providerDisputeId: 'e', status: 'won', amountMinor: 8 });
  await add(orderId, { providerDisputeId: 'f', status: 'open', amountMinor: 16, currency: 'USD' });
  expect(await moneyOf(orderId)).toMatchObject({ withheldMinor: 3, lostMinor: 4 });
  await change(orderId, { mismatch: { state: 'paid', paymentId: 'pi', amountMinor: 7, currency: 'USD' } });
  expect(await moneyOf(orderId)).toMatchObject({ withheldMinor: 16, lostMinor: 0 });
});

test('a refund in flight is read until the total includes it', async () => {
  const { claim } = await payAtProvider(t, 'in-flight');
  const { claimId: orderId } = claim;
  await change(orderId, { refundMinor: 30, refundingMinor: 20, refundingFromMinor: 10, returnedMinor: 29 });
  expect((await paymentOf(t, orderId)).refunding).toEqual({ amountMinor: 20, fromMinor: 10 });
  await change(orderId, { returnedMinor: 30 });
  expect((await paymentOf(t, orderId)).refunding).toBeNull();
});

test('an order is payable until its deadline, or for as long as its click had waited', async () => {
  const { sale, claim } = await askToPay(t, 'payable');
  const { claimId: orderId } = claim;
  const payByMs = await endIn(orderId, -30);
  expect(await paymentOf(t, orderId)).toMatchObject({ payable: false, payByMs });
  await change(orderId, { waitedMs: 60_000 });
  expect(await paymentOf(t, orderId)).toMatchObject({ payable: true, payByMs: payByMs + 60_000 });
  await endIn(orderId, HOUR);
  await cancelOrder(t, { saleId: sale.id, ...claim });
  expect((await paymentOf(t, orderId)).payable).toBe(false);
});

test('one payment is locked, and none if none is meant', async () => {
  const { claim } = await askToPay(t, 'locked');
  const locked = await t.db.$transaction(tx => lockPayment(tx, Prisma.sql`p.order_id = ${claim.claimId}::uuid`));
  expect(locked).toEqual(await paymentOf(t, claim.claimId));
  expect(await t.db.$transaction(tx => lockPayment(tx, Prisma.sql`p.id = -1`))).toBeUndefined();
});

test('a payment is recorded once, by the buyer of an unpaid order at a provider', async () => {
  const { sale, claim, order } = await place('asks');
  expect(await requestPayment(t.db, { ...order, buyerId: 'stranger' })).toBeUndefined();
  expect(await t.db.payment.count({ where: { orderId: order.orderId } })).toBe(0);
  const payment = await requestPayment(t.db, order);
  const recorded = {
    attempt: 1,
    status: 'requested',
    amountMinor: PRICE,
    currency: 'EUR',
    paymentId: null,
    payUrl: null,
  };
  expect(payment).toMatchObject({ ...recorded, ...order, provider: 'signed-webhook', payable: true });
  expect(await requestPayment(t.db, order)).toEqual(payment);
  expect(await t.db.payment.count({ where: { orderId: order.orderId } })).toBe(1);
  await cancelOrder(t, { saleId: sale.id, ...claim });
  const { sale: ended, claim: cancelled, order: unasked } = await place('ended');
  await cancelOrder(t, { saleId: ended.id, ...cancelled });
  expect(await requestPayment(t.db, unasked)).toBeUndefined();
  const { order: ofWallet } = await place('wallet', { provider: 'wallet' });
  expect(await requestPayment(t.db, ofWallet)).toBeUndefined();
});

test.each(['failed', 'refund_due', 'refunded'])(
  'after an attempt that is %s, another click makes another one',
  async status => {
    const { order } = await place(`next-${status}`);
    const clickedAtMs = Math.floor(await clockMs());
    const first = await requestPayment(t.db, { ...order, clickedAtMs });
    const refundAt = status === 'refund_due' ? new Date() : null;
    await change(order.orderId, { status, refundAt });
    expect(await requestPayment(t.db, { ...order, clickedAtMs })).toMatchObject({ attempt: 1, status });
    const second = await requestPayment(t.db, { ...order, clickedAtMs: clickedAtMs + 1 });
    expect(second).toMatchObject({ attempt: 2, status: 'requested' });
    expect(second?.regrabClaimId).not.toBe(first?.regrabClaimId);
  },
);

test.each(['requested', 'open', 'late'])('an attempt that is %s is the only one', async status => {
  const { order } = await place(`only-${status}`);
  await requestPayment(t.db, order);
  await change(order.orderId, { status });
  expect(await requestPayment(t.db, { ...order, clickedAtMs: Date.now() })).toMatchObject({ attempt: 1, status });
});

test('an order has ten attempts', async () => {
  const { order } = await place('ten');
  const startMs = Math.floor(await clockMs());
  for (let i = 0; i < 12; i += 1) {
    await requestPayment(t.db, { ...order, clickedAtMs: startMs + i });
    await change(order.orderId, { status: 'failed' });
  }
  expect(await t.db.payment.count({ where: { orderId: order.orderId } })).toBe(10);
});
