import { expect, test } from '@jest/globals';
import { Prisma } from '#core/postgres/database.js';
import { applyDispute } from '#core/postgres/money/disputes.js';
import { lockPayment } from '#core/postgres/money/payment.js';
import type { DisputeReport, DisputeState } from '#core/rules/dispute.js';
import { paymentOf, paymentRowOf, transfersOf } from '../../../support/money/reading.js';
import { askToPay, PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();

/** Applies a report about a dispute of an order's payment, and returns the outcome. */
async function apply(orderId: string, change: Partial<DisputeReport> & { state: DisputeState }): Promise<string> {
  return t.db.$transaction(async tx => {
    const payment = await lockPayment(tx, Prisma.sql`p.order_id = ${orderId}::uuid`);
    if (!payment) throw new Error('no payment');
    const report = { disputeId: `dp ${orderId}`, paymentId: 'pi', amountMinor: 100, currency: 'EUR', ...change };
    return (await applyDispute(tx, payment, report)).outcome;
  });
}

async function disputesOf(orderId: string) {
  const disputes = await t.db.dispute.findMany({ where: { payment: { orderId } }, orderBy: { id: 'asc' } });
  return disputes.map(({ status, amountMinor, currency }) => [status, Number(amountMinor), currency]);
}

const endOf = async (orderId: string) => (await t.db.dispute.findFirst({ where: { payment: { orderId } } }))?.endedAt;
const moneyOf = async (orderId: string) => (await paymentOf(t, orderId)).money;

test('a dispute withholds its amount until it is won, and a repeated report changes nothing', async () => {
  const { claim } = await payAtProvider(t, 'won');
  const { claimId: orderId } = claim;
  expect(await apply(orderId, { state: 'inquiry' })).toBe('disputed');
  expect(await moneyOf(orderId)).toMatchObject({ withheldMinor: 0, lostMinor: 0 });
  expect(await apply(orderId, { state: 'open' })).toBe('disputed');
  expect(await apply(orderId, { state: 'open' })).toBe('repeated');
  expect(await moneyOf(orderId)).toMatchObject({ withheldMinor: 100, lostMinor: 0 });
  expect(await endOf(orderId)).toBeNull();
  expect(await apply(orderId, { state: 'open', amountMinor: 150 })).toBe('disputed');
  expect(await moneyOf(orderId)).toMatchObject({ withheldMinor: 150 });
  expect(await apply(orderId, { state: 'won', amountMinor: 150 })).toBe('dispute_closed');
  const endedAt = await endOf(orderId);
  expect(endedAt).toEqual(expect.any(Date));
  expect(await apply(orderId, { state: 'open', amountMinor: 150 })).toBe('repeated');
  expect(await disputesOf(orderId)).toEqual([['won', 150, 'EUR']]);
  expect(await moneyOf(orderId)).toMatchObject({ status: 'paid', withheldMinor: 0, lostMinor: 0 });
  expect(await transfersOf(t, orderId)).toEqual([
    ['capture', PRICE],
    ['dispute', 100],
    ['dispute', 50],
    ['dispute_reversal', 150],
  ]);
  // A later state has no later end.
  expect(await apply(orderId, { state: 'lost', amountMinor: 150 })).toBe('dispute_closed');
  expect(await endOf(orderId)).toEqual(endedAt);
});

test('a lost dispute keeps its amount', async () => {
  const { claim } = await payAtProvider(t, 'lost');
  expect(await apply(claim.claimId, { state: 'lost' })).toBe('dispute_closed');
  expect(await endOf(claim.claimId)).toEqual(expect.any(Date));
  expect(await moneyOf(claim.claimId)).toMatchObject({ status: 'paid', withheldMinor: 0, lostMinor: 100 });
  expect(await transfersOf(t, claim.claimId)).toEqual([
    ['capture', PRICE],
    ['dispute', 100],
  ]);
});

test('the disputes about a payment add up, without those of other payments, providers and currencies', async () => {
  const { claim } = await payAtProvider(t, 'two');
  const { claim: other } = await payAtProvider(t, 'other');
  const { claimId: orderId } = claim;
  const { id: paymentId } = await paymentOf(t, orderId);
  await t.db.dispute.create({
    data: {
      paymentId,
      provider: 'another',
      providerDisputeId: 'dp_1',
      status: 'lost',
      amountMinor: 0,
      currency: 'EUR',
    },
  });
  expect(await apply(other.claimId, { state: 'open', amountMinor: 70 })).toBe('disputed');
  expect(await apply(orderId, { disputeId: 'dp_1', state: 'open', amountMinor: 20 })).toBe('disputed');
  expect(await apply(orderId, { disputeId: 'dp_2', state: 'open', amountMinor: 30 })).toBe('disputed');
  expect(await apply(orderId, { disputeId: 'dp_3', state: 'lost', amountMinor: 5, currency: 'USD' })).toBe('mismatch');
  expect(await apply(orderId, { disputeId: 'dp_4', state: 'lost', amountMinor: 6 })).toBe('dispute_closed');
  expect(await moneyOf(orderId)).toMatchObject({ withheldMinor: 50, lostMinor: 6 });
  expect(await disputesOf(orderId)).toContainEqual(['lost', 5, 'USD']);
  expect((await transfersOf(t, orderId)).map(([, amount]) => amount)).toEqual([PRICE, 20, 30, 6]);
});

test('after a dispute about a payment that counts as unpaid, the provider is asked at once', async () => {
  const { claim } = await askToPay(t, 'unpaid');
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { askAt: null } });
  expect(await apply(claim.claimId, { state: 'open' })).toBe('disputed');
  const { status, askAt } = await paymentRowOf(t, claim.claimId);
  expect(status).toBe('open');
  expect(askAt).toEqual(expect.any(Date));
  expect(await disputesOf(claim.claimId)).toEqual([['open', 100, 'EUR']]);
  expect(await transfersOf(t, claim.claimId)).toEqual([]);
});
