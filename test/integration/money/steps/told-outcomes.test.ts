import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { readReleases } from '#core/postgres/deliveries/releases.js';
import { applyEvent } from '#core/postgres/money/payment-report.js';
import { dropPayUrl, readPayUrl, setPayUrl } from '#core/redis/claims/pay-url.js';
import type { Claim } from '#core/rules/claim.js';
import type { PaymentReport } from '#core/rules/payment.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { takePaymentAnswer, takePaymentEvent } from '#core/steps/payment-event.js';
import { releaseUnits } from '#core/steps/release-units.js';
import { readMetric } from '../../../support/http/metrics.js';
import { paidReport, paymentOf } from '../../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';
import { readSnapshot } from '../../../support/redis/snapshot.js';

// The news of a payment, as Redis shows them to a buyer.

const t = usePayments();
const PROVIDER = 'signed-webhook';

async function eventOf({ claimId }: Claim, change: Partial<PaymentReport> = {}) {
  const report = { ...(await paidReport(t, claimId)), ...change };
  return { eventId: randomUUID(), type: 'some.type', report };
}
const take = async (claim: Claim, change: Partial<PaymentReport> = {}) =>
  takePaymentEvent(t, { provider: PROVIDER, event: await eventOf(claim, change) });
const shownTo = async ({ id }: Sale, { buyerId }: Claim) => (await readSnapshot(t.redis, id))?.claims.get(buyerId);
const urlOf = (sale: Sale, { claimId }: Claim) => readPayUrl(t.redis, sale.id, claimId);

test('an event that was applied by a process that died is shown when it comes again', async () => {
  const { sale, claim } = await askToPay(t, 'died');
  const event = await eventOf(claim);
  await applyEvent(t.db, PROVIDER, event);
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'pending_payment' });
  await takePaymentEvent(t, { provider: PROVIDER, event });
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'paid' });
});

test('an order that an event or an answer has paid is counted once', async () => {
  const paid = () => readMetric('dropline_orders_total{became="paid"}');
  const [{ claim }, { claim: other }] = [await askToPay(t, 'counted'), await askToPay(t, 'answered')];
  const before = await paid();
  for (let i = 0; i < 2; i += 1) await take(claim);
  for (let i = 0; i < 2; i += 1) await takePaymentAnswer(t, PROVIDER, await paidReport(t, other.claimId));
  expect((await paid()) - before).toBe(2);
});

test('a part of a paid order that went back is shown, and all of it', async () => {
  const { sale, claim } = await payAtProvider(t, 'part');
  await take(claim, { refundedMinor: PART });
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'paid', refundedMinor: PART });
  await take(claim, { refundedMinor: PRICE });
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'paid', refundedMinor: PRICE });
});

test('after a failure the address is gone and the buyer sees why, also when the first event was cut off', async () => {
  for (const isCutOff of [false, true]) {
    const { sale, claim } = await askToPay(t, `failed-${isCutOff}`);
    expect(await urlOf(sale, claim)).toBeDefined();
    const event = await eventOf(claim, { state: 'failed' });
    if (isCutOff) await applyEvent(t.db, PROVIDER, event);
    await takePaymentEvent(t, { provider: PROVIDER, event });
    expect(await urlOf(sale, claim)).toBeUndefined();
    expect(await shownTo(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
  }
});

test('after a failure the buyer sees why, although the address was gone before', async () => {
  const { sale, claim } = await askToPay(t, 'gone');
  await dropPayUrl(t.redis, sale.id, claim.claimId);
  await take(claim, { state: 'failed' });
  expect(await shownTo(sale, claim)).toMatchObject({ reason: 'payment_refused' });
});

test('the address of the next attempt stays after the failure of the one before', async () => {
  const { sale, claim } = await askToPay(t, 'next');
  await setPayUrl(t.redis, sale.id, { claimId: claim.claimId, payUrl: 'https://pay.example/next' });
  await take(claim, { state: 'failed' });
  expect(await urlOf(sale, claim)).toBe('https://pay.example/next');
  expect((await shownTo(sale, claim))?.reason).toBeUndefined();
});

test('an order that cannot be paid any more keeps no reason of a failed payment', async () => {
  const { sale, claim } = await askToPay(t, 'overdue');
  await t.db
    .$executeRaw`UPDATE orders SET version = version + 1, pay_by = clock_timestamp() WHERE id = ${claim.claimId}::uuid`;
  await take(claim, { state: 'failed' });
  expect(await urlOf(sale, claim)).toBeUndefined();
  expect((await shownTo(sale, claim))?.reason).toBeUndefined();
});

test('news that change nothing for the buyer leave Redis alone', async () => {
  const { sale, claim } = await askToPay(t, 'quiet');
  const version = async () => (await readSnapshot(t.redis, sale.id))?.version;
  const before = await version();
  await take(claim, { state: 'open' });
  await take(claim, { amountMinor: 1 });
  await take(claim, { state: 'refunded' });
  expect(await version()).toBe(before);
  expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'open' });
});

test('late money is decided at once, and what it buys is shown', async () => {
  const { sale, claim } = await askToPay(t, 'late');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await releaseUnits(t, await readReleases(t.db, [claim.claimId]));
  const { regrabClaimId } = await paymentOf(t, claim.claimId);
  await take(claim);
  expect(await shownTo(sale, claim)).toMatchObject({ claimId: regrabClaimId, status: 'paid' });
  await take(claim, { refundedMinor: PART });
  expect(await shownTo(sale, claim)).toMatchObject({ claimId: regrabClaimId, refundedMinor: PART });
});
