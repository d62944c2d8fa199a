import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { payOrder, showPayUrl } from '#core/steps/pay-order.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { beforeScript } from '../../support/meanwhile.js';
import { applyEvents, askToPay, PRICE, usePayments } from '../../support/payments.js';
import { readSnapshot } from '../../support/redis/snapshot.js';

// A failed payment can be repeated until the deadline, and no money is kept twice.

const t = usePayments();

const attemptsOf = ({ claimId }: Claim) =>
  t.db.payment.findMany({ where: { orderId: claimId }, orderBy: { attempt: 'asc' } });
const madeFor = async ({ claimId }: Claim) => (await t.fake.payments()).filter(one => one.orderId === claimId);
const claimOf = async (sale: Sale, { buyerId }: Claim) => (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);
const again = ({ id }: Sale, { claimId, buyerId }: Claim) => payOrder(t, { saleId: id, claimId, buyerId });
const kindsOf = async ({ claimId }: Claim) =>
  (await t.db.transfer.findMany({ where: { orderId: claimId }, orderBy: { id: 'asc' } })).map(({ kind }) => kind);
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);

async function failed(buyer: string) {
  const { sale, claim } = await askToPay(t, buyer);
  await t.fake.cancel(claim.claimId);
  await applyEvents(t, claim, { type: 'payment_intent.canceled' });
  return { sale, claim };
}

/** Applies a success of an attempt that had failed. No provider should send such an event. */
const paidAfterAll = async (claim: Claim, eventId: string) => {
  const [first] = await attemptsOf(claim);
  const report = {
    paymentId: first?.providerPaymentId ?? '',
    orderId: claim.claimId,
    amountMinor: PRICE,
    currency: 'EUR',
  };
  const event = { eventId, type: 'payment_intent.succeeded', report: { ...report, state: 'paid' as const } };
  await takePaymentEvent(t, { provider: 'signed-webhook', event });
};

test('a buyer reads that the payment failed, and pays with another one', async () => {
  const { sale, claim } = await failed('tries');
  expect(await claimOf(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBeUndefined();
  await Promise.all([1, 2, 3].map(() => again(sale, claim)));
  const made = await madeFor(claim);
  expect(made.map(({ attempt, status }) => [attempt, status])).toEqual([
    [1, 'failed'],
    [2, 'open'],
  ]);
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBe(made[1]?.payUrl);
  expect((await claimOf(sale, claim))?.reason).toBeUndefined();
  // The old event arrives again while the next attempt is in flight.
  await applyEvents(t, claim, { type: 'payment_intent.canceled', times: 2 });
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBe(made[1]?.payUrl);
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  expect((await attemptsOf(claim)).map(({ status }) => status)).toEqual(['failed', 'paid']);
  expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid' });
  expect(await kindsOf(claim)).toEqual(['capture']);
  await expectProof(sale);
});

test('a slow worker does not show the address of a failed payment again', async () => {
  const { sale, claim } = await failed('slow');
  const [attempt] = await attemptsOf(claim);
  const order = { orderId: claim.claimId, buyerId: claim.buyerId };
  expect(await showPayUrl(t, sale.id, { ...order, payUrl: attempt?.payUrl ?? '' })).toBe('payment_refused');
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBeUndefined();
});

test('a payment that fails just before its address is written leaves no address', async () => {
  const { sale, claim } = await askToPay(t, 'crossing');
  const [attempt] = await attemptsOf(claim);
  const heldUp = beforeScript(t, 'hset', async () => {
    await t.fake.cancel(claim.claimId);
    await applyEvents(t, claim, { type: 'payment_intent.canceled' });
  });
  const order = { orderId: claim.claimId, buyerId: claim.buyerId };
  expect(await showPayUrl(heldUp, sale.id, { ...order, payUrl: attempt?.payUrl ?? '' })).toBe('payment_refused');
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBeUndefined();
});

test('an order has no second payment while one waits for money', async () => {
  const { sale, claim } = await askToPay(t, 'waits');
  await again(sale, claim);
  expect(await attemptsOf(claim)).toHaveLength(1);
});

test('a payment that the provider refused to create is requested with another key', async () => {
  await t.fake.mood({ refusePayments: true });
  const { sale, claim } = await askToPay(t, 'refused');
  expect(await claimOf(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
  await t.fake.mood({ refusePayments: false });
  await again(sale, claim);
  expect((await madeFor(claim)).map(({ attempt }) => attempt)).toEqual([2]);
});

test('an attempt whose provider id was lost is found by its number', async () => {
  const { sale, claim } = await failed('nameless');
  await again(sale, claim);
  await t.db.payment.updateMany({
    where: { orderId: claim.claimId, attempt: 2 },
    data: { providerPaymentId: null, askAt: new Date(0) },
  });
  await t.fake.pay(claim.claimId);
  await askProviders(t);
  expect((await attemptsOf(claim)).map(({ status }) => status)).toEqual(['failed', 'paid']);
  await expectProof(sale);
});

test('a wrong amount goes back, and the buyer pays again', async () => {
  const { sale, claim } = await askToPay(t, 'other');
  await t.fake.pay(claim.claimId, { amountMinor: PRICE - 1 });
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { askAt: new Date(0) } });
  await askProviders(t);
  await again(sale, claim);
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await finishPayments(t);
  expect((await madeFor(claim)).map(({ taken, returned }) => taken - returned)).toEqual([0, 1]);
  expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid' });
  await expectProof(sale);
});

test('money of a failed attempt pays the order, and the money of the next attempt goes back', async () => {
  const { sale, claim } = await failed('both');
  await again(sale, claim);
  await paidAfterAll(claim, 'evt_both');
  expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid' });
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await finishPayments(t);
  expect((await attemptsOf(claim)).map(({ status }) => status)).toEqual(['paid', 'refunded']);
  expect((await madeFor(claim))[1]).toMatchObject({ taken: 1, returned: 1 });
  expect(await kindsOf(claim)).toEqual(['capture']);
  await expectProof(sale);
});

test('the money of two attempts goes back when the order has ended', async () => {
  const { sale, claim } = await failed('twice-late');
  await again(sale, claim);
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.db.sale.update({ where: { id: sale.id }, data: { lateMoney: 'refund' } });
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await paidAfterAll(claim, 'evt_twice');
  expect((await attemptsOf(claim)).map(({ status }) => status)).toEqual(['refund_due', 'refund_due']);
  expect(await kindsOf(claim)).toEqual(['capture', 'refund']);
  await expectProof(sale);
  // The provider has no success of the first attempt, so each round of another test would fail at its refund.
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { refundAt: null } });
});

test('an order has at most ten payments', async () => {
  const { sale, claim } = await failed('stubborn');
  for (let i = 0; i < 12; i += 1) {
    await again(sale, claim);
    await t.fake.cancel(claim.claimId);
    await applyEvents(t, claim, { type: 'payment_intent.canceled' });
  }
  expect(await attemptsOf(claim)).toHaveLength(10);
  expect(await claimOf(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
});
