import { expect, test } from '@jest/globals';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { beginRefund, recordReturned } from '#core/postgres/money/due-refunds.js';
import { applyAnswer } from '#core/postgres/money/payment-report.js';
import type { Claim } from '#core/rules/claim.js';
import { paidReport, paymentOf, transfersOf } from '../../support/money/reading.js';
import { applyEvents, PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';

// When a refund is tried again: later and later, and at once when there is news.

const t = usePayments();

/** Reads Postgres's clock, and when the refund of an order is tried next, in s. */
async function readTimes({ claimId }: Claim): Promise<{ now: number; next: number | null }> {
  const [row] = await t.db.$queryRaw<{ now: number; next: number | null }[]>`
    SELECT extract(epoch FROM clock_timestamp())::float8 AS now, extract(epoch FROM refund_at)::float8 AS next
    FROM payments WHERE order_id = ${claimId}::uuid`;
  if (!row) throw new Error('no payment');
  return row;
}

/** Tries the refund once, and tells whether the next try comes after a pause, in s, from the time of this one. */
async function pausesFor(claim: Claim, seconds: number): Promise<boolean> {
  const { now: before } = await readTimes(claim);
  await beginRefund(t.db, await paymentOf(t, claim.claimId));
  const { now: after, next } = await readTimes(claim);
  // The row has milliseconds, rounded.
  return next !== null && next >= before + seconds - 0.001 && next <= after + seconds + 0.001;
}

test('a refund is tried again after 1, 2, 4 … s, and at last every ten minutes', async () => {
  const { claim } = await payAtProvider(t, 'patient');
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  const isAsPlanned: boolean[] = [];
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]) {
    isAsPlanned.push(await pausesFor(claim, seconds));
  }
  expect(isAsPlanned).toEqual(isAsPlanned.map(() => true));
});

test('a refund of which a part was made is tried again at once, with the first pauses', async () => {
  const { claim } = await payAtProvider(t, 'progress');
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  for (let i = 0; i < 4; i += 1) await beginRefund(t.db, await paymentOf(t, claim.claimId));
  const payment = await paymentOf(t, claim.claimId);
  expect(payment.refundTries).toBe(4);
  await recordReturned(t.db, payment, { amountMinor: PART, fromMinor: 0 });
  const { now, next } = await readTimes(claim);
  expect(next).toBeLessThanOrEqual(now);
  expect(await pausesFor(claim, 1)).toBe(true);
});

test('a report without news keeps the pause, and more that is owed ends it', async () => {
  const { claim } = await payAtProvider(t, 'news');
  const orderId = claim.claimId;
  await refundOrderPartially(t, { orderId, amountMinor: PART, refundedMinor: 0 });
  for (let i = 0; i < 4; i += 1) await beginRefund(t.db, await paymentOf(t, orderId));
  const { next: before } = await readTimes(claim);
  await applyAnswer(t.db, 'signed-webhook', await paidReport(t, orderId));
  expect((await readTimes(claim)).next).toBe(before);
  await refundOrderPartially(t, { orderId, amountMinor: 1, refundedMinor: PART });
  const { now, next } = await readTimes(claim);
  expect(next).toBeLessThanOrEqual(now);
});

test('a won dispute ends the pause, and one that is opened does not', async () => {
  const { claim } = await payAtProvider(t, 'won');
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  for (let i = 0; i < 4; i += 1) await beginRefund(t.db, await paymentOf(t, claim.claimId));
  const { next: before } = await readTimes(claim);
  await t.fake.dispute(claim.claimId);
  await applyEvents(t, claim, { type: 'charge.dispute.created' });
  expect((await readTimes(claim)).next).toBe(before);
  await t.fake.closeDisputes(claim.claimId, 'won');
  await applyEvents(t, claim, { type: 'charge.dispute.closed' });
  const { now, next } = await readTimes(claim);
  expect(next).toBeLessThanOrEqual(now);
});

test('an order whose money went back whole before is refunded without another transfer', async () => {
  const { claim } = await payAtProvider(t, 'went-back');
  await t.fake.refund(claim.claimId);
  await applyEvents(t, claim, { type: 'charge.refunded' });
  expect(await refundOrder(t, { orderId: claim.claimId, restock: true })).toMatchObject({
    kind: 'refunded',
    now: true,
  });
  expect(await transfersOf(t, claim.claimId)).toEqual([
    ['capture', PRICE],
    ['refund', PRICE],
  ]);
  expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'refunded' });
  expect((await readTimes(claim)).next).toBeNull();
});
