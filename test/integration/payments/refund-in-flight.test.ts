import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { beginRefund } from '#core/postgres/money/due-refunds.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { orderOf, paymentAtProvider, paymentOf, paymentRowOf } from '../../support/money/reading.js';
import { applyEvents, PRICE, payAtProvider, usePayments } from '../../support/payments.js';

// Refunds whose answer never came. The provider may have made them or not, and may have forgotten their keys.

const t = usePayments();

const FIRST = 70;
const SECOND = 20;

const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);

async function givePart({ claimId }: Claim, amountMinor: number) {
  const refundedMinor = Number((await orderOf(t, claimId)).refundedMinor);
  const part = await refundOrderPartially(t, { orderId: claimId, amountMinor, refundedMinor });
  expect(part).toMatchObject({ kind: 'refunded', refundedMinor: refundedMinor + amountMinor });
}

/** Begins the refund that is due, as a worker does that dies before the provider is called. */
async function beginDue(claim: Claim) {
  const payment = await paymentOf(t, claim.claimId);
  const refund = await beginRefund(t.db, payment);
  if (!refund) throw new Error('no refund is due');
  return { payment, refund };
}

/** Lets the provider make the refund that is due, and loses its answer. */
async function loseAnswer(claim: Claim) {
  const { payment, refund } = await beginDue(claim);
  const provider = t.providers?.['signed-webhook'];
  expect(await provider?.refund(payment, { ...refund, isWhole: refund.amountMinor === PRICE })).toBe('refunded');
}

/** Runs the due refunds until none is left that can be sent now. */
async function finishRounds({ claimId }: Claim) {
  for (let i = 0; i < 3; i += 1) {
    await t.db.payment.updateMany({
      where: { orderId: claimId, refundAt: { not: null } },
      data: { refundAt: new Date(0) },
    });
    await finishPayments(t);
  }
}

async function whileKeysAreForgotten(work: () => Promise<void>) {
  await t.fake.mood({ forgetKeys: true });
  try {
    await work();
  } finally {
    await t.fake.mood({ forgetKeys: false });
  }
}

test('a refund that an event has answered is not sent again with the next one', async () => {
  const { sale, claim } = await payAtProvider(t, 'by-event');
  await givePart(claim, FIRST);
  await loseAnswer(claim);
  await applyEvents(t, claim, { type: 'charge.refunded' });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ returnedMinor: BigInt(FIRST), refundAt: null });
  await whileKeysAreForgotten(async () => {
    await givePart(claim, SECOND);
    await finishRounds(claim);
  });
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: FIRST + SECOND, returned: 2 });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ returnedMinor: BigInt(FIRST + SECOND), refundAt: null });
  await expectProof(sale);
});

test('a refund without an answer is repeated only if the provider says that it has not made it', async () => {
  const { sale, claim } = await payAtProvider(t, 'made');
  const { claim: other } = await payAtProvider(t, 'not-made');
  await givePart(claim, FIRST);
  await givePart(other, FIRST);
  await loseAnswer(claim);
  await beginDue(other);
  await whileKeysAreForgotten(async () => {
    await finishRounds(claim);
    await finishRounds(other);
  });
  for (const one of [claim, other]) {
    expect(await paymentAtProvider(t, one.claimId)).toMatchObject({ refundedMinor: FIRST, returned: 1 });
    expect(await paymentRowOf(t, one.claimId)).toMatchObject({ returnedMinor: BigInt(FIRST), refundAt: null });
  }
  await expectProof(sale);
});

test('a refund without an answer is not made again after a dispute that the shop has won', async () => {
  const { sale, claim } = await payAtProvider(t, 'won');
  await givePart(claim, FIRST);
  await loseAnswer(claim);
  await t.fake.dispute(claim.claimId);
  await applyEvents(t, claim, { type: 'charge.dispute.created' });
  await finishRounds(claim);
  await givePart(claim, SECOND);
  await finishRounds(claim);
  await t.fake.closeDisputes(claim.claimId, 'won');
  await applyEvents(t, claim, { type: 'charge.dispute.closed' });
  await finishRounds(claim);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: FIRST + SECOND, returned: 2 });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ returnedMinor: BigInt(FIRST + SECOND), refundAt: null });
  await expectProof(sale);
});

test('a refund that was never made becomes smaller by what a lost dispute gave the buyer', async () => {
  const { sale, claim } = await payAtProvider(t, 'lost');
  await givePart(claim, FIRST);
  await beginDue(claim);
  await t.fake.dispute(claim.claimId, FIRST - SECOND);
  await t.fake.closeDisputes(claim.claimId, 'lost');
  await applyEvents(t, claim, { type: 'charge.dispute.closed' });
  await finishRounds(claim);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({
    refundedMinor: SECOND,
    disputedMinor: FIRST - SECOND,
    returned: 1,
  });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ returnedMinor: BigInt(SECOND), refundAt: null });
  await expectProof(sale);
});

test('a refund that was never made counts other money that went back meanwhile', async () => {
  const { sale, claim } = await payAtProvider(t, 'by-hand');
  await givePart(claim, FIRST);
  await beginDue(claim);
  await t.fake.refund(claim.claimId, SECOND);
  await finishRounds(claim);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: FIRST, returned: 2 });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ returnedMinor: BigInt(FIRST), refundAt: null });
  await expectProof(sale);
});

test('a refund of everything that an older version began is the same call again', async () => {
  const { sale, claim } = await payAtProvider(t, 'older');
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  await t.fake.mood({ pendingRefunds: true });
  const { paymentId } = await paymentOf(t, claim.claimId);
  const { PAYMENT_PROVIDER_URL: url, PAYMENT_PROVIDER_KEY: key } = t.fake.settings;
  const headers = { authorization: `Bearer ${key}`, 'idempotency-key': `refund-${claim.claimId}` };
  const older = await fetch(`${url}/payments/${paymentId}/refund`, { method: 'POST', headers, body: '{}' });
  expect(await older.json()).toMatchObject({ status: 'pending' });
  await finishRounds(claim);
  expect(await readBalance(t.db, 'older', 'EUR')).toBe(0);
  await t.fake.mood({ pendingRefunds: false });
  await finishRounds(claim);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({
    status: 'refunded',
    refundedMinor: PRICE,
    returned: 1,
  });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({
    status: 'refunded',
    returnedMinor: BigInt(PRICE),
    compensatedMinor: 0n,
  });
  await expectProof(sale);
});

test('a part that is pending is made once, however often it is asked for', async () => {
  const { sale, claim } = await payAtProvider(t, 'pending');
  await givePart(claim, FIRST);
  await t.fake.mood({ pendingRefunds: true });
  await finishRounds(claim);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: 0 });
  await t.fake.mood({ pendingRefunds: false });
  await finishRounds(claim);
  expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: FIRST, returned: 1 });
  expect(await readBalance(t.db, 'pending', 'EUR')).toBe(0);
  await expectProof(sale);
});
