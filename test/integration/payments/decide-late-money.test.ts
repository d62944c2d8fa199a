import { expect, test } from '@jest/globals';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { applyEvent } from '#core/postgres/money/payment-report.js';
import { readRunId, setSale } from '#core/redis/sale/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { readMetric } from '../../support/http/metrics.js';
import { paymentAtProvider, paymentRowOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

const t = usePayments();

const DECISIONS = ['regrabbed', 'paid', 'refunded'] as const;

/** Returns how often each decision about late money was counted during some work. */
async function countedDuring(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const read = () => Promise.all(DECISIONS.map(became => readMetric(`dropline_late_money_total{became="${became}"}`)));
  const before = await read();
  await work();
  const after = await read();
  return Object.fromEntries(DECISIONS.map((became, i) => [became, (after[i] ?? 0) - (before[i] ?? 0)]));
}

test('late money that buys its unit again is counted once, however often its event comes', async () => {
  const { sale, claim } = await askToPay(t, 'again');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  const counted = await countedDuring(async () => {
    for (let i = 0; i < 3; i += 1) await applyEvents(t, claim);
    await finishPayments(t);
  });
  expect(counted).toEqual({ regrabbed: 1, paid: 0, refunded: 0 });
});

test('late money that goes back is counted once, however often its event comes', async () => {
  const { sale, claim } = await askToPay(t, 'back', { lateMoney: 'refund' });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  const counted = await countedDuring(async () => {
    for (let i = 0; i < 3; i += 1) await applyEvents(t, claim);
    await finishPayments(t);
    await finishPayments(t);
  });
  expect(counted).toEqual({ regrabbed: 0, paid: 0, refunded: 1 });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'refunded' });
});

test('late money that pays its own order after all is counted once', async () => {
  const { claim } = await askToPay(t, 'extended', { lateMoney: 'refund' });
  await t.fake.pay(claim.claimId);
  await backdateDeadlines(t, [claim]);
  const known = await paymentAtProvider(t, claim.claimId);
  const report = { paymentId: known?.id ?? '', state: 'paid', amountMinor: PRICE, currency: 'EUR' } as const;
  const event = { eventId: 'evt_extended', type: 'payment_intent.succeeded', report };
  expect((await applyEvent(t.db, 'signed-webhook', event)).outcome).toBe('late');
  await t.db.$executeRaw`UPDATE orders SET version = version + 1, pay_by = clock_timestamp() + interval '1 hour'
    WHERE id = ${claim.claimId}::uuid`;
  const counted = await countedDuring(async () => {
    await finishPayments(t);
    await finishPayments(t);
  });
  expect(counted).toEqual({ regrabbed: 0, paid: 1, refunded: 0 });
});

test('late money that cannot be decided does not hold up the refund of another order', async () => {
  const late = await askToPay(t, 'late');
  await cancelOrder(t, { saleId: late.sale.id, ...late.claim });
  await t.fake.pay(late.claim.claimId);
  const refunded = await payAtProvider(t, 'refunded');
  await refundOrder(t, { orderId: refunded.claim.claimId, restock: true });
  // The gate of the sale of the late money is shut, so no unit can be taken again.
  await setSale(t.redis, late.sale.id, { runId: 'another-run' });
  await expect(applyEvents(t, late.claim)).rejects.toThrow(late.sale.id);
  await expect(finishPayments(t)).rejects.toThrow(`order ${late.claim.claimId}`);
  expect(await paymentRowOf(t, refunded.claim.claimId)).toMatchObject({ status: 'refunded' });
  await setSale(t.redis, late.sale.id, { runId: await readRunId(t.redis) });
  await finishPayments(t);
  expect(await paymentRowOf(t, late.claim.claimId)).toMatchObject({ status: 'paid' });
});
