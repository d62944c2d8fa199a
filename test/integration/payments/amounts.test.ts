import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { endRefundsByHand } from '#core/postgres/money/due-refunds.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { markOpen } from '#core/postgres/money/payment-change.js';
import { applyAnswer, applyEvent } from '#core/postgres/money/payment-report.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { readMetric } from '../../support/http/metrics.js';
import { orderOf, paymentAtProvider, paymentRowOf, transfersOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

// Money that goes back in parts, in any order of the provider's messages.

const t = usePayments();

const REFUNDED = { type: 'charge.refunded' };

const claimOf = async (sale: Sale, { buyerId }: Claim) => (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);

const failedRefunds = () => readMetric('dropline_refunds_total{outcome="failed"}');

/** Late money that is to go back. */
async function owed(buyer: string) {
  const { sale, claim } = await askToPay(t, buyer, { lateMoney: 'refund' });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  return { sale, claim };
}

describe('a part that the provider returns', () => {
  test('a part of owed money that the provider returns leaves the rest owed', async () => {
    const { sale, claim } = await owed('part-of-owed');
    await t.fake.refund(claim.claimId, PART);
    await applyEvents(t, claim, REFUNDED);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refund_due', returnedMinor: BigInt(PART) });
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', refundedMinor: PRICE });
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded' });
    await expectProof(sale);
  });

  test('a part that came back unheard while the rest is owed is found by asking', async () => {
    const { sale, claim } = await owed('unheard-part');
    await t.fake.refund(claim.claimId, PART);
    await finishPayments(t);
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', refundedMinor: PRICE });
    expect(await readBalance(t.db, 'unheard-part', 'EUR')).toBe(0);
    await expectProof(sale);
  });

  test('a part that came back before the payment is known leaves the order paid', async () => {
    const { sale, claim } = await askToPay(t, 'part-first');
    await t.fake.pay(claim.claimId);
    await t.fake.refund(claim.claimId, PART);
    await applyEvents(t, claim, REFUNDED);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PART) });
    await applyEvents(t, claim);
    await applyEvents(t, claim, REFUNDED);
    await expireOrders(t);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PART) });
    expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid', refundedMinor: PART, unit: claim.unit });
    expect(await transfersOf(t, claim.claimId)).toEqual([
      ['capture', PRICE],
      ['refund', PART],
    ]);
    await expectProof(sale);
  });

  test('totals that come in the wrong order and twice are each booked once', async () => {
    const { sale, claim } = await payAtProvider(t, 'reordered-parts');
    for (const amount of [PART, 50, 10]) await t.fake.refund(claim.claimId, amount);
    const events = (await t.fake.events()).filter(
      ({ orderId, type }) => orderId === claim.claimId && type === 'charge.refunded',
    );
    expect(events).toHaveLength(3);
    for (const { id } of events.reverse()) await applyEvents(t, claim, { id, times: 2 });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PART + 60) });
    expect(await transfersOf(t, claim.claimId)).toEqual([
      ['capture', PRICE],
      ['refund', PART + 60],
    ]);
    await expectProof(sale);
  });

  test('all of the money that the provider returned by itself leaves the order to the operator', async () => {
    const { sale, claim } = await payAtProvider(t, 'elsewhere');
    await t.fake.refund(claim.claimId);
    await applyEvents(t, claim, REFUNDED);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PRICE) });
    const event = await t.db.paymentEvent.findFirstOrThrow({
      where: { orderId: claim.claimId },
      orderBy: { id: 'desc' },
    });
    expect(event.outcome).toBe('refunded_elsewhere');
    await expectProof(sale);
  });

  test('late money of which a part came back buys no unit, and the rest goes back', async () => {
    const { sale, claim } = await askToPay(t, 'late-part');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await t.fake.pay(claim.claimId);
    await t.fake.refund(claim.claimId, PART);
    await applyEvents(t, claim, REFUNDED);
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', refundedMinor: PRICE });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'refunded_late_payment' });
    await expectProof(sale);
  });
});

describe('a refund that the provider refuses', () => {
  test('money of another amount that the provider refuses to return comes into the wallet as it was', async () => {
    const { claim } = await askToPay(t, 'one-cent');
    await t.fake.pay(claim.claimId, { amountMinor: 1 });
    await applyEvents(t, claim);
    await askProviders(t);
    await t.fake.mood({ refuseRefunds: true });
    await finishPayments(t);
    await t.fake.mood({ refuseRefunds: false });
    expect(await readBalance(t.db, 'one-cent', 'EUR')).toBe(1);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded', compensatedMinor: 1n });
  });

  test('a part that the provider refuses to return comes into the wallet, each time', async () => {
    const { sale, claim } = await payAtProvider(t, 'refused-parts');
    await t.fake.mood({ refuseRefunds: true });
    for (const amountMinor of [PART, 50]) {
      const refundedMinor = Number((await orderOf(t, claim.claimId)).refundedMinor);
      await refundOrderPartially(t, { orderId: claim.claimId, amountMinor, refundedMinor });
      await finishPayments(t);
    }
    await t.fake.mood({ refuseRefunds: false });
    expect(await readBalance(t.db, 'refused-parts', 'EUR')).toBe(PART + 50);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: 0 });
    await expectProof(sale);
  });
});

describe('a refund that nobody makes', () => {
  test('a refund that keeps failing is counted, seen in the console, and ended by hand with a record', async () => {
    const { sale, claim } = await owed('stuck');
    await t.fake.mood({ down: true });
    const before = await failedRefunds();
    for (let i = 0; i < 3; i += 1) {
      await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { refundAt: new Date(0) } });
      await expect(finishPayments(t)).rejects.toThrow('503');
    }
    expect((await failedRefunds()) - before).toBe(3);
    const seen = (await readOddPayments(t.db, 100)).find(({ orderId }) => orderId === claim.claimId);
    expect(seen).toMatchObject({ status: 'refund_due', refundTries: 3, returnedMinor: 0 });
    expect(await endRefundsByHand(t.db, claim.claimId, 'bank transfer 4711')).toEqual([
      { amountMinor: PRICE, currency: 'EUR' },
    ]);
    expect(await endRefundsByHand(t.db, claim.claimId, 'bank transfer 4711')).toEqual([]);
    await t.fake.mood({ down: false });
    expect(await finishPayments(t)).toBe(0);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({
      status: 'refunded',
      compensatedMinor: BigInt(PRICE),
      refundAt: null,
    });
    expect(await t.db.repair.findFirst({ where: { saleId: sale.id, kind: 'refund_by_hand' } })).toMatchObject({
      claimId: claim.claimId,
      detail: { note: 'bank transfer 4711', amountMinor: PRICE, currency: 'EUR' },
    });
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: 0 });
    await expectProof(sale);
  });

  test('a refund is not paid out while the provider does not know the payment', async () => {
    const { claim } = await owed('unknown-there');
    await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { providerPaymentId: 'pi_unknown' } });
    await t.fake.mood({ refuseRefunds: true });
    await expect(finishPayments(t)).rejects.toThrow();
    await t.fake.mood({ refuseRefunds: false });
    expect(await readBalance(t.db, 'unknown-there', 'EUR')).toBe(0);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refund_due' });
    // Other tests refund, too, so this refund is ended.
    await endRefundsByHand(t.db, claim.claimId, 'end of the test');
  });
});

describe('messages at once', () => {
  test('a payment is locked while a report is applied', async () => {
    const { sale, claim } = await askToPay(t, 'locked');
    await t.fake.pay(claim.claimId);
    await t.fake.refund(claim.claimId, PART);
    const known = await paymentAtProvider(t, claim.claimId);
    const money = { paymentId: known?.id ?? '', orderId: claim.claimId, amountMinor: PRICE, currency: 'EUR' };
    const reports = [
      { ...money, state: 'paid' },
      { ...money, state: 'failed' },
      { ...money, state: 'paid', refundedMinor: PART },
    ] as const;
    await whileHeld(t.db, {
      hold: tx => tx.$queryRaw`SELECT FROM payments WHERE order_id = ${claim.claimId}::uuid FOR UPDATE`,
      calls: reports.map(
        (report, i) => () => applyEvent(t.db, 'signed-webhook', { eventId: `evt_locked_${i}`, type: 'any', report }),
      ),
      waiting: '%FROM payments p WHERE%FOR UPDATE%',
    });
    await takePaymentEvent(t, {
      provider: 'signed-webhook',
      event: { eventId: 'evt_locked_0', type: 'any', report: reports[0] },
    });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: BigInt(PART) });
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
    await expectProof(sale);
  });

  test('an event that overtakes the provider’s answer leaves the payment paid', async () => {
    const { claim } = await payAtProvider(t, 'overtaken');
    const { id, providerPaymentId } = await paymentRowOf(t, claim.claimId);
    const answer = { paymentId: providerPaymentId ?? '', payUrl: 'https://pay.example/late' };
    expect(await markOpen(t.db, id, answer)).toBe('paid');
    const report = { ...answer, orderId: claim.claimId, amountMinor: PRICE, currency: 'EUR' };
    expect(await applyAnswer(t.db, 'signed-webhook', { ...report, state: 'open' })).toMatchObject({
      payment: { status: 'paid' },
    });
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  });
});

describe('an order whose deadline an operator has moved', () => {
  test('late money pays the order when it can be paid after all', async () => {
    const { sale, claim } = await askToPay(t, 'extended', { lateMoney: 'refund' });
    await t.fake.pay(claim.claimId);
    await backdateDeadlines(t, [claim]);
    const known = await paymentAtProvider(t, claim.claimId);
    const report = { paymentId: known?.id ?? '', state: 'paid', amountMinor: PRICE, currency: 'EUR' } as const;
    const event = { eventId: 'evt_extended', type: 'payment_intent.succeeded', report };
    expect((await applyEvent(t.db, 'signed-webhook', event)).outcome).toBe('late');
    await t.db.$executeRaw`UPDATE orders SET version = version + 1, pay_by = clock_timestamp() + interval '1 hour'
      WHERE id = ${claim.claimId}::uuid`;
    await finishPayments(t);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid', paidOrderId: claim.claimId });
    expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid' });
    await expectProof(sale);
  });
});

test('a payment of somebody else on the same account is counted quietly', async () => {
  const report = { paymentId: 'pi_foreign', state: 'paid', amountMinor: PRICE, currency: 'EUR' } as const;
  const event = { eventId: 'evt_foreign', type: 'payment_intent.succeeded', report };
  expect(await applyEvent(t.db, 'signed-webhook', event)).toEqual({ outcome: 'foreign' });
  const ours = { ...report, orderId: '00000000-0000-4000-8000-000000000000' };
  expect(await applyEvent(t.db, 'signed-webhook', { ...event, eventId: 'evt_ours', report: ours })).toEqual({
    outcome: 'unknown_payment',
  });
});
