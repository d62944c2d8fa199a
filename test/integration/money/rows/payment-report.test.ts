import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { applyAnswer, applyEvent } from '#core/postgres/money/payment-report.js';
import type { DisputeReport } from '#core/rules/dispute.js';
import type { PaymentReport } from '#core/rules/payment.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { orderOf, paidReport, paymentOf, paymentRowOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();
const PROVIDER = 'signed-webhook';
const STRANGE = '00000000-0000-4000-8000-000000000009';

/** Applies an event, with an id of its own unless one is given. */
function event(content: { report?: PaymentReport; dispute?: DisputeReport }, eventId: string = randomUUID()) {
  return applyEvent(t.db, PROVIDER, { eventId, type: 'some.type', ...content });
}
const answer = (report: PaymentReport) => applyAnswer(t.db, PROVIDER, report);
const reportOf = async (orderId: string, change: Partial<PaymentReport> = {}): Promise<PaymentReport> => ({
  ...(await paidReport(t, orderId)),
  ...change,
});
const disputeOf = async (orderId: string, change: Partial<DisputeReport> = {}): Promise<DisputeReport> => {
  const { paymentId } = await paidReport(t, orderId);
  return { disputeId: `dp ${orderId}`, paymentId, orderId, state: 'open', amountMinor: 1, currency: 'EUR', ...change };
};

const storedEvent = (eventId: string) => t.db.paymentEvent.findFirst({ where: { eventId } });
const notAsked = (orderId: string) => t.db.payment.updateMany({ where: { orderId }, data: { askAt: null } });
const isAsked = async (orderId: string) => (await paymentRowOf(t, orderId)).askAt !== null;
const unpaid = async (buyerId: string) => {
  const { sale, claim } = await askToPay(t, buyerId);
  await notAsked(claim.claimId);
  return { sale, claim, orderId: claim.claimId };
};

/** Expects that a payment has taken nothing, and its order is to be paid. */
async function expectUntouched(orderId: string) {
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'open', mismatch: null, refundAt: null });
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'pending_payment' });
  expect(await transfersOf(t, orderId)).toEqual([]);
}

test('an event pays its order once, and is stored with its outcome', async () => {
  const { orderId } = await unpaid('once');
  const report = await reportOf(orderId);
  expect(await event({ report }, 'evt_once')).toMatchObject({ outcome: 'paid', paysOrder: true, payment: { orderId } });
  const again = await event({ report }, 'evt_once');
  expect(again).toMatchObject({ outcome: 'repeated', payment: { orderId, status: 'paid' } });
  expect(again.paysOrder).toBeUndefined();
  expect(await event({ report })).toMatchObject({ outcome: 'repeated', paysOrder: false });
  expect(await transfersOf(t, orderId)).toEqual([['capture', PRICE]]);
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'paid', paidOrderId: orderId });
  const { id: paymentId } = await paymentOf(t, orderId);
  const payload = { eventId: 'evt_once', type: 'some.type', report };
  expect(await storedEvent('evt_once')).toMatchObject({
    provider: PROVIDER,
    orderId,
    payload,
    paymentId,
    outcome: 'paid',
  });
});

test('an event that was ignored is applied when it comes again with content, and only then', async () => {
  const { orderId } = await unpaid('content');
  expect(await event({}, 'evt_empty')).toEqual({ outcome: 'ignored' });
  expect(await event({}, 'evt_empty')).toEqual({ outcome: 'repeated', payment: undefined });
  expect(await storedEvent('evt_empty')).toMatchObject({ orderId: null, paymentId: null, outcome: 'ignored' });
  expect(await event({ report: await reportOf(orderId) }, 'evt_empty')).toMatchObject({ outcome: 'paid' });
  expect(await storedEvent('evt_empty')).toMatchObject({ orderId, outcome: 'paid', payload: { report: { orderId } } });
});

test('a report or a dispute about no payment of ours names an order, or belongs to somebody else', async () => {
  const report: PaymentReport = { paymentId: 'pi_strange', state: 'paid', amountMinor: 1, currency: 'EUR' };
  expect(await event({ report })).toEqual({ outcome: 'foreign' });
  expect(await answer({ ...report, orderId: STRANGE })).toEqual({ outcome: 'unknown_payment' });
  const dispute = { ...report, disputeId: 'dp_strange', state: 'open' as const };
  expect(await event({ dispute })).toEqual({ outcome: 'foreign' });
  expect(await event({ dispute: { ...dispute, orderId: STRANGE } })).toEqual({ outcome: 'unknown_payment' });
});

test('a dispute about a payment is applied, and one that names another order is not', async () => {
  const { claim } = await payAtProvider(t, 'disputed');
  const { claimId: orderId } = claim;
  for (const change of [{ orderId: STRANGE }, { paymentId: 'pi_other' }]) {
    const dispute = await disputeOf(orderId, change);
    expect(await event({ dispute })).toMatchObject({ outcome: 'mismatch', payment: { orderId } });
  }
  expect(await t.db.dispute.count({ where: { payment: { orderId } } })).toBe(0);
  const dispute = await disputeOf(orderId, { orderId: undefined });
  expect(await event({ dispute }, 'evt_dispute')).toMatchObject({ outcome: 'disputed' });
  expect(await event({ dispute }, 'evt_dispute')).toMatchObject({ outcome: 'repeated', payment: { orderId } });
  expect(await t.db.dispute.count({ where: { payment: { orderId } } })).toBe(1);
});

const ODD: { name: string; change: Partial<PaymentReport> }[] = [
  { name: 'another amount', change: { amountMinor: PRICE - 1 } },
  { name: 'another currency', change: { currency: 'USD' } },
  { name: 'another payment', change: { paymentId: 'pi_other' } },
  { name: 'another order', change: { orderId: STRANGE } },
];

test.each(ODD)('an event with $name takes nothing, and the provider is asked', async ({ name, change }) => {
  const { orderId } = await unpaid(name.replace(' ', '-'));
  const report = await reportOf(orderId, change);
  expect(await event({ report })).toMatchObject({ outcome: 'mismatch', payment: { orderId } });
  expect(await isAsked(orderId)).toBe(true);
  await expectUntouched(orderId);
});

test.each(ODD)('an event with $name about a paid order changes nothing', async ({ name, change }) => {
  const { claim } = await payAtProvider(t, `paid-${name.replace(' ', '-')}`);
  const { claimId: orderId } = claim;
  await t.db.payment.updateMany({ where: { orderId }, data: { askAt: new Date(1_000) } });
  const before = await paymentRowOf(t, orderId);
  const report = await reportOf(orderId, change);
  expect(await event({ report })).toMatchObject({ outcome: 'mismatch', payment: { orderId } });
  expect(await paymentRowOf(t, orderId)).toEqual(before);
  // The answer ends the question.
  expect(await answer(report)).toMatchObject({ outcome: 'mismatch', payment: { orderId } });
  expect(await paymentRowOf(t, orderId)).toEqual({ ...before, askAt: null });
});

test.each([
  { state: 'paid', status: 'refund_due', returned: 0 },
  { state: 'refunded', status: 'refunded', returned: PRICE - 1 },
] as const)('an answer that money of another amount is $state lets it go back', async ({ state, status, returned }) => {
  const { orderId } = await unpaid(`other-${state}`);
  const report = await reportOf(orderId, { amountMinor: PRICE - 1, state });
  expect(await answer(report)).toMatchObject({ outcome: 'mismatch', payment: { orderId, status } });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status, mismatch: report, returnedMinor: BigInt(returned) });
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'pending_payment' });
  expect(await transfersOf(t, orderId)).toEqual([]);
});

test('an answer about other money counts as well before the id of the payment is known', async () => {
  const { orderId } = await unpaid('no-id');
  const report = await reportOf(orderId, { amountMinor: PRICE + 1 });
  await t.db.payment.updateMany({
    where: { orderId },
    data: { providerPaymentId: null, payUrl: null, status: 'requested' },
  });
  expect(await answer(report)).toMatchObject({ outcome: 'mismatch', payment: { status: 'refund_due' } });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ mismatch: report, providerPaymentId: report.paymentId });
});

test('an answer about another amount that is not taken, or about another payment, changes nothing', async () => {
  const { orderId } = await unpaid('not-taken');
  for (const change of [
    { amountMinor: 1, state: 'open' as const },
    { amountMinor: 1, state: 'failed' as const },
    { paymentId: 'pi_other' },
  ]) {
    expect(await answer(await reportOf(orderId, change))).toMatchObject({ outcome: 'mismatch' });
  }
  expect(await isAsked(orderId)).toBe(false);
  await expectUntouched(orderId);
});

test('an event of a refund without its total says too little, and the provider is asked', async () => {
  const { claim } = await payAtProvider(t, 'no-total');
  const { claimId: orderId } = claim;
  const report = await reportOf(orderId, { state: 'refunded' });
  expect(await event({ report })).toMatchObject({ outcome: 'ignored', payment: { orderId } });
  expect(await isAsked(orderId)).toBe(true);
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'paid', refundedMinor: 0n });
  expect(await event({ report: { ...report, state: 'paid', refundedMinor: PART } })).toMatchObject({
    outcome: 'refunded_in_part',
  });
  expect(await answer(report)).toMatchObject({ outcome: 'refunded_elsewhere' });
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PRICE) });
});

test('a report is about the attempt with its payment id, or else about the latest one of the order', async () => {
  const { orderId } = await unpaid('attempts');
  const { id, mismatch: _, ...first } = await paymentRowOf(t, orderId);
  await t.db.payment.update({ where: { id }, data: { status: 'failed' } });
  const regrabClaimId = first.regrabClaimId.replace(/^..../, '0000');
  const second = { ...first, attempt: 2, status: 'requested', providerPaymentId: null, payUrl: null, regrabClaimId };
  await t.db.payment.create({ data: second });
  const failed = await event({
    report: await reportOf(orderId, { paymentId: first.providerPaymentId ?? '', state: 'failed' }),
  });
  expect(failed).toMatchObject({ outcome: 'repeated', payment: { attempt: 1 } });
  const open = await event({ report: await reportOf(orderId, { paymentId: 'pi_second', state: 'open' }) });
  expect(open).toMatchObject({ outcome: 'open', payment: { attempt: 2, status: 'open', paymentId: 'pi_second' } });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ attempt: 2, providerPaymentId: 'pi_second' });
});

test('a payment id of another provider names no payment of ours', async () => {
  const { orderId } = await unpaid('other-provider');
  const report = await reportOf(orderId);
  expect(await applyAnswer(t.db, 'wallet', report)).toEqual({ outcome: 'unknown_payment' });
  await expectUntouched(orderId);
});

test('money of an order that has ended is late, and one of an unpaid order that went back has paid it', async () => {
  const { sale, claim, orderId } = await unpaid('late');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  expect(await event({ report: await reportOf(orderId) })).toMatchObject({ outcome: 'late', paysOrder: false });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'late', paidOrderId: null });
  expect(await transfersOf(t, orderId)).toEqual([]);
  const { orderId: back } = await unpaid('back');
  const report = await reportOf(back, { state: 'refunded', refundedMinor: PRICE });
  expect(await event({ report })).toMatchObject({ outcome: 'refunded_elsewhere', paysOrder: true });
  expect(await paymentRowOf(t, back)).toMatchObject({ status: 'paid', paidOrderId: back });
});

test('a report of an open or a failed payment pays nothing', async () => {
  const { orderId } = await unpaid('open');
  expect(await event({ report: await reportOf(orderId, { state: 'open' }) })).toMatchObject({
    outcome: 'open',
    paysOrder: false,
  });
  await expectUntouched(orderId);
  expect(await event({ report: await reportOf(orderId, { state: 'failed' }) })).toMatchObject({
    outcome: 'failed',
    paysOrder: false,
  });
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'failed', paidOrderId: null });
  expect(await orderOf(t, orderId)).toMatchObject({ status: 'pending_payment' });
});
