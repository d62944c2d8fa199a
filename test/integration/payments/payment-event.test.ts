import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { applyEvent } from '#core/postgres/money/payment-report.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import { regrab } from '#core/redis/claims/regrab.js';
import { setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readMetric } from '../../support/http/metrics.js';
import { orderOf, paymentAtProvider, paymentRowOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PRICE, usePayments } from '../../support/payments.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { win, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

const t = usePayments();

const claimOf = async (sale: Sale, { buyerId }: Claim) => (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);
const kindsOf = async (orderId: string) =>
  (await t.db.transfer.findMany({ where: { orderId }, orderBy: { id: 'asc' } })).map(({ kind }) => kind);
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);

describe('asking to pay', () => {
  test('asking to pay stores the payment, creates it at the provider once, and shows the buyer its address', async () => {
    const { sale, claim } = await askToPay(t, 'asks');
    await Promise.all([1, 2, 3].map(() => payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId: 'asks' })));
    const made = (await t.fake.payments()).filter(({ orderId }) => orderId === claim.claimId);
    expect(made).toHaveLength(1);
    expect(made[0]).toMatchObject({ amountMinor: PRICE, currency: 'EUR', status: 'open' });
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({
      status: 'open',
      providerPaymentId: made[0]?.id,
      askAt: expect.any(Date),
    });
    expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBe(made[0]?.payUrl);
    expect((await orderOf(t, claim.claimId)).status).toBe('pending_payment');
  });

  test('asking to pay fails while the provider is down, and succeeds at the next try', async () => {
    await t.fake.mood({ down: true });
    await expect(askToPay(t, 'down')).rejects.toThrow('503');
    await t.fake.mood({ down: false });
    const [payment] = await t.db.payment.findMany({ where: { order: { buyerId: 'down' } }, include: { order: true } });
    expect(payment?.status).toBe('requested');
    await payOrder(t, { saleId: payment?.order.saleId ?? '', claimId: payment?.orderId ?? '', buyerId: 'down' });
    expect((await t.db.payment.findUniqueOrThrow({ where: { id: payment?.id ?? 0n } })).status).toBe('open');
  });

  test('asking to pay another buyer’s order, or an ended one, creates no payment', async () => {
    const { sale, claim } = await askToPay(t, 'victim');
    await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId: 'thief' });
    await cancelOrder(t, { saleId: sale.id, ...claim });
    const again = await winOne(t, sale, 'victim');
    await placeOrders(t, { saleId: sale.id, claims: [again] });
    await backdateDeadlines(t, [again]);
    await payOrder(t, { saleId: sale.id, claimId: again.claimId, buyerId: 'victim' });
    await expireOrders(t, { claimIds: [again.claimId] });
    expect((await orderOf(t, again.claimId)).status).toBe('cancelled');
    expect(await paymentAtProvider(t, again.claimId)).toBeUndefined();
  });
});

describe('an event', () => {
  test('an event pays the order once, however often and in any order', async () => {
    const { sale, claim } = await askToPay(t, 'pays');
    await t.fake.pay(claim.claimId);
    await applyEvents(t, claim, { type: 'payment_intent.succeeded', times: 4 });
    await applyEvents(t, claim, { type: 'payment_intent.created', times: 2 });
    expect((await orderOf(t, claim.claimId)).status).toBe('paid');
    expect(await kindsOf(claim.claimId)).toEqual(['capture']);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid', paidOrderId: claim.claimId });
    expect((await claimOf(sale, claim))?.status).toBe('paid');
    await expectProof(sale);
  });

  test('an event with another amount pays nothing, and confirmed money goes back', async () => {
    const { claim } = await askToPay(t, 'cheap');
    await t.fake.pay(claim.claimId, { amountMinor: 1 });
    await applyEvents(t, claim);
    expect((await orderOf(t, claim.claimId)).status).toBe('pending_payment');
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'open' });
    await askProviders(t);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refund_due' });
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', returned: 1 });
    expect(await kindsOf(claim.claimId)).toEqual([]);
  });

  test('one report that the money was taken and came back counts once', async () => {
    const reports = async () => {
      const outcomes = ['paid', 'refunded_elsewhere'].map(o => `dropline_payment_reports_total{outcome="${o}"}`);
      return [
        ...(await Promise.all(outcomes.map(readMetric))),
        await readMetric('dropline_orders_total{became="paid"}'),
      ];
    };
    const { sale, claim } = await askToPay(t, 'taken-and-back');
    await t.fake.pay(claim.claimId);
    await t.fake.refund(claim.claimId);
    const before = await reports();
    await applyEvents(t, claim, { type: 'charge.refunded' });
    expect((await reports()).map((count, i) => count - (before[i] ?? 0))).toEqual([0, 1, 1]);
    expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid', refundedMinor: PRICE });
    await expectProof(sale);
  });

  test('an event about an unknown payment is stored and changes nothing', async () => {
    const orderId = '00000000-0000-4000-8000-000000000000';
    const report = { orderId, paymentId: 'pi_unknown', state: 'paid', amountMinor: PRICE, currency: 'EUR' } as const;
    await takePaymentEvent(t, {
      provider: 'signed-webhook',
      event: { eventId: 'evt_unknown', type: 'payment_intent.succeeded', report },
    });
    expect(await t.db.paymentEvent.findFirst({ where: { eventId: 'evt_unknown' } })).toMatchObject({
      outcome: 'unknown_payment',
    });
  });
});

describe('money that comes after the order has ended', () => {
  test('late money buys a free unit again, under a new claim', async () => {
    const { sale, claim } = await askToPay(t, 'late');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await t.fake.pay(claim.claimId);
    await applyEvents(t, claim, { type: 'payment_intent.succeeded', times: 3 });
    const { paidOrderId, status } = await paymentRowOf(t, claim.claimId);
    expect(status).toBe('paid');
    expect(paidOrderId).not.toBe(claim.claimId);
    expect(await kindsOf(paidOrderId ?? '')).toEqual(['capture']);
    expect(await claimOf(sale, claim)).toMatchObject({ claimId: paidOrderId, status: 'paid', unit: 1 });
    await expectProof(sale);
  });

  test('late money goes back when the unit is sold, and the buyer learns the reason', async () => {
    const { sale, claim } = await askToPay(t, 'too-late');
    await backdateDeadlines(t, [claim]);
    await expireOrders(t);
    const [next] = await win(t, sale, 'next');
    await placeOrders(t, { saleId: sale.id, claims: next ? [next] : [] });
    await t.fake.pay(claim.claimId);
    await applyEvents(t, claim);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refund_due' });
    expect(await claimOf(sale, claim)).toMatchObject({ status: 'cancelled', reason: 'refunded_late_payment' });
    await finishPayments(t);
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', returned: 1 });
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded' });
    expect(await kindsOf(claim.claimId)).toEqual(['capture', 'refund']);
    await expectProof(sale);
  });

  test('late money goes back by the sale’s setting, after the close, or when the buyer has won again', async () => {
    const wishes: [string, Partial<Sale>, (sale: Sale) => Promise<unknown>][] = [
      ['by-wish', { lateMoney: 'refund' }, async () => undefined],
      ['closed', {}, sale => setSale(t.redis, sale.id, { state: 'closed' })],
      ['again', {}, sale => winOne(t, sale, 'again')],
    ];
    for (const [buyer, wish, then] of wishes) {
      const { sale, claim } = await askToPay(t, buyer, { units: 2, ...wish });
      await cancelOrder(t, { saleId: sale.id, ...claim });
      await then(sale);
      await t.fake.pay(claim.claimId);
      await applyEvents(t, claim);
      await finishPayments(t);
      expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded' });
      expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'refunded_late_payment' });
    }
  });

  test('late money is decided only after the order has expired', async () => {
    const { sale, claim } = await askToPay(t, 'expiring', { lateMoney: 'refund' });
    await t.fake.pay(claim.claimId);
    await backdateDeadlines(t, [claim]);
    // Another expiry holds the row lock, so the worker that applies the event skips the order.
    const told = await whileHeld(t.db, {
      hold: tx => tx.$queryRaw`SELECT FROM orders WHERE id = ${claim.claimId}::uuid FOR UPDATE`,
      calls: [() => applyEvents(t, claim)],
      waiting: '%FROM orders%FOR UPDATE%',
    });
    expect(told).toEqual([undefined]);
    expect([(await paymentRowOf(t, claim.claimId)).status, await kindsOf(claim.claimId)]).toEqual(['late', []]);
    await expireOrders(t);
    await finishPayments(t);
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded' });
    expect(await claimOf(sale, claim)).toMatchObject({ status: 'cancelled', reason: 'refunded_late_payment' });
    await expectProof(sale);
  });

  test('an overdue order is cancelled before its late money is decided', async () => {
    const { sale, claim } = await askToPay(t, 'overdue');
    await t.fake.pay(claim.claimId);
    await backdateDeadlines(t, [claim]);
    await applyEvents(t, claim);
    expect((await orderOf(t, claim.claimId)).status).toBe('cancelled');
    expect((await claimOf(sale, claim))?.status).toBe('paid');
    await expectProof(sale);
  });

  test('a decision about late money that was interrupted after taking the unit is finished', async () => {
    const { sale, claim } = await askToPay(t, 'interrupted');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await t.fake.pay(claim.claimId);
    const report = {
      paymentId: (await paymentAtProvider(t, claim.claimId))?.id ?? '',
      state: 'paid',
      amountMinor: PRICE,
      currency: 'EUR',
    } as const;
    const event = { eventId: 'evt_cut', type: 'payment_intent.succeeded', report };
    expect((await applyEvent(t.db, 'signed-webhook', event)).outcome).toBe('late');
    const { regrabClaimId } = await paymentRowOf(t, claim.claimId);
    const retry = { buyerId: claim.buyerId, endedClaimId: claim.claimId, claimId: regrabClaimId };
    expect(await regrab(t.redis, sale.id, retry)).toEqual({ kind: 'taken', unit: 1 });
    // Rescue comes first, so the order waits for money that has already arrived.
    await placeOrders(t, { saleId: sale.id, claims: [{ ...retry, unit: 1 }] });
    await finishPayments(t);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid', paidOrderId: regrabClaimId });
    expect(await claimOf(sale, claim)).toMatchObject({ status: 'paid', claimId: regrabClaimId });
    await expectProof(sale);
  });
});

test('an event that does not say how much went back lets the provider tell, also long after the sale', async () => {
  const { sale, claim } = await askToPay(t, 'no-total');
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await t.fake.refund(claim.claimId, 200);
  await t.db.$executeRaw`UPDATE orders SET version = version + 1, pay_by = clock_timestamp() - interval '2 days'
    WHERE id = ${claim.claimId}::uuid`;
  const { providerPaymentId } = await paymentRowOf(t, claim.claimId);
  // So an API of the version before reports every refund.
  const report = {
    paymentId: providerPaymentId ?? '',
    state: 'refunded',
    amountMinor: PRICE,
    currency: 'EUR',
  } as const;
  const event = { eventId: 'evt_no_total', type: 'charge.refunded', report };
  await takePaymentEvent(t, { provider: 'signed-webhook', event });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid', returnedMinor: 0n });
  await t.fake.mood({ down: true });
  await expect(askProviders(t)).rejects.toThrow('503');
  await t.fake.mood({ down: false });
  await t.db.payment.updateMany({
    where: { orderId: claim.claimId, askAt: { not: null } },
    data: { askAt: new Date(0) },
  });
  await askProviders(t);
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', refundedMinor: 200n });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid', returnedMinor: 200n, askAt: null });
  await expectProof(sale);
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await finishPayments(t);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', refundedMinor: PRICE });
  await expectProof(sale);
});
