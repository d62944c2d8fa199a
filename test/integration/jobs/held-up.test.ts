import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { beginRefund, maySend, recordRefused, recordReturned } from '#core/postgres/money/due-refunds.js';
import { askAgainLater, type Payment } from '#core/postgres/money/payment.js';
import { applyAnswer } from '#core/postgres/money/payment-report.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import type { RefundInFlight } from '#core/rules/refund.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { providerOf } from '#core/steps/context.js';
import { paymentOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PART, PRICE, usePayments } from '../../support/payments.js';

// A process is held up between asking the provider and recording its answer. The simulation of the money (npm run
// simulate) found the first history and the last one; the second is their neighbour.

const t = usePayments();

async function ask(payment: Payment) {
  const report = await providerOf(t, payment.provider).ask(payment);
  if (!report) throw new Error('the provider does not know the payment');
  return report;
}

async function begin(payment: Payment): Promise<RefundInFlight> {
  const begun = await beginRefund(t.db, payment);
  if (!begun) throw new Error('no refund is due');
  const { amountMinor, fromMinor } = begun;
  return { amountMinor, fromMinor };
}

test('a refusal that is recorded late moves nothing, as the next refund is on its way', async () => {
  const { sale, claim } = await askToPay(t, 'refused-twice', { lateMoney: 'refund' });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  await t.fake.refund(claim.claimId, PART);
  await applyEvents(t, claim, { type: 'charge.refunded' });
  const payment = await paymentOf(t, claim.claimId);
  const send = (refund: RefundInFlight) =>
    providerOf(t, payment.provider).refund(payment, { ...refund, isWhole: false });
  // Two workers send the same refund, and meanwhile the provider has less than that.
  const [first, second] = [await begin(payment), await begin(payment)];
  expect(await maySend(t.db, payment, { refund: second, report: await ask(payment) })).toBe(true);
  await t.fake.refund(claim.claimId, PART);
  expect(await Promise.all([send(first), send(second)])).toEqual(['refused', 'refused']);
  const report = await ask(payment);
  expect(await recordRefused(t.db, payment, { refund: first, report })).toBe(false);
  const rest = await begin(payment);
  expect(rest).toEqual({ amountMinor: PRICE - 2 * PART, fromMinor: 2 * PART });
  expect(await send(rest)).toBe('refunded');
  expect(await recordRefused(t.db, payment, { refund: second, report })).toBe(false);
  await recordReturned(t.db, payment, rest);
  expect(await readBalance(t.db, claim.buyerId, 'EUR')).toBe(0);
  expect((await paymentOf(t, claim.claimId)).money).toMatchObject({
    status: 'refunded',
    returnedMinor: PRICE,
    compensatedMinor: 0,
  });
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

test('the late answer to an old refund leaves the next one unanswered, so that it is repeated as it was', async () => {
  const { sale, claim } = await askToPay(t, 'answered-twice', { lateMoney: 'refund' });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  await applyEvents(t, claim);
  const payment = await paymentOf(t, claim.claimId);
  const old = { amountMinor: PART, fromMinor: 0 };
  await recordReturned(t.db, payment, old);
  const rest = await begin(payment);
  await recordReturned(t.db, payment, old);
  expect((await paymentOf(t, claim.claimId)).refunding).toEqual(rest);
  // An answer about the old one, which the provider had not made when it was asked, says nothing about the next one.
  const report = { ...(await ask(payment)), refundedMinor: 0 };
  expect(await maySend(t.db, payment, { refund: old, report })).toBe(false);
  expect((await paymentOf(t, claim.claimId)).refunding).toEqual(rest);
});

test('an answer that is older than an event does not stop the question that the event asks', async () => {
  const { claim } = await askToPay(t, 'old-answer');
  await t.fake.pay(claim.claimId, { amountMinor: PRICE + 1 });
  const payment = await paymentOf(t, claim.claimId);
  await askAgainLater(t.db, payment.id);
  const before = await ask(payment);
  await t.fake.refund(claim.claimId, PART);
  await applyEvents(t, claim, { type: 'charge.refunded' });
  await applyAnswer(t.db, payment.provider, before);
  expect((await paymentOf(t, claim.claimId)).money).toMatchObject({ status: 'refund_due', returnedMinor: 0 });
  await askProviders(t);
  expect((await paymentOf(t, claim.claimId)).money).toMatchObject({
    status: 'refund_due',
    returnedMinor: PART,
  });
});
