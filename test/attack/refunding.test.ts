import { expect, test } from '@jest/globals';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { readBalance } from '#core/postgres/money/wallet.js';
import { payOrder } from '#core/steps/pay-order.js';
import { eventually } from '../support/eventually.js';
import { PRICE, useArena } from './arena.js';

// Money that goes back: in parts, by several people at once, late, and through the buyer's bank.

const t = useArena();

const PART = 200;
/** Workers ask and refund in rounds of some seconds, in ms. */
const IN_TIME_MS = 60_000;

const fakeOf = async (orderId: string) => (await t.fake.payments()).find(one => one.orderId === orderId);

test('a part that the provider returned before its event of the payment changes nothing but the amount', async () => {
  const { saleId, orderId } = await t.atProvider('part-first');
  await t.fake.mood({ hold: true, times: 2 });
  await t.fake.pay(orderId);
  await t.fake.refund(orderId, PART);
  // Held events are sent in reverse order.
  await t.fake.flush();
  await t.fake.mood({ hold: false, times: 1 });
  await eventually(
    async () =>
      expect(await t.stack.status('part-first', saleId)).toMatchObject({ status: 'paid', refundedMinor: PART }),
    IN_TIME_MS,
  );
  await t.expectProof(saleId);
});

test('a part that the provider returned while all is owed leaves the rest owed, and the rest goes back', async () => {
  const { saleId, orderId } = await t.atProvider('part-of-owed', { lateMoney: 'refund' });
  await t.stack.cancel('part-of-owed', saleId);
  await eventually(async () => expect((await t.stack.status('part-of-owed', saleId)).status).toBe('cancelled'));
  await t.fake.mood({ times: 3, down: true });
  await t.fake.pay(orderId);
  await t.fake.refund(orderId, PART);
  await eventually(
    async () =>
      expect(await t.ctx.db.payment.findFirst({ where: { orderId } })).toMatchObject({
        status: 'refund_due',
        returnedMinor: BigInt(PART),
      }),
    IN_TIME_MS,
  );
  await t.fake.mood({ times: 1, down: false });
  await eventually(
    async () => expect(await fakeOf(orderId)).toMatchObject({ status: 'refunded', refundedMinor: PRICE }),
    IN_TIME_MS,
  );
  await eventually(async () =>
    expect(await t.stack.status('part-of-owed', saleId)).toMatchObject({ reason: 'refunded_late_payment' }),
  );
  expect(await readBalance(t.ctx.db, 'part-of-owed', 'EUR')).toBe(0);
  await t.expectProof(saleId);
});

test('ten operators who give the same part back at once give it back once', async () => {
  const { saleId, claims } = await t.unpaid(1, 'part');
  const [claim] = claims;
  if (!claim) throw new Error('nobody won');
  const { claimId: orderId, buyerId } = claim;
  await payOrder(t.ctx, { saleId, claimId: orderId, buyerId });
  const refund = { orderId, amountMinor: PART, refundedMinor: 0 };
  const results = await Promise.all(Array.from({ length: 10 }, () => refundOrderPartially(t.ctx, refund)));
  expect(results.map(({ kind }) => kind).sort()).toEqual([...Array(9).fill('changed_meanwhile'), 'refunded']);
  expect(await readBalance(t.ctx.db, buyerId, 'EUR')).toBe(PART);
  await Promise.all([
    refundOrder(t.ctx, { orderId, restock: true }),
    refundOrderPartially(t.ctx, { orderId, amountMinor: PART, refundedMinor: PART }),
  ]);
  await refundOrder(t.ctx, { orderId, restock: true });
  expect(await readBalance(t.ctx.db, buyerId, 'EUR')).toBe(PRICE);
  await t.expectProof(saleId);
});

test('a buyer who disputes a payment and asks for a refund has the money once', async () => {
  const { saleId, orderId } = await t.atProvider('disputes');
  await t.fake.pay(orderId);
  await eventually(async () => expect((await t.stack.status('disputes', saleId)).status).toBe('paid'), IN_TIME_MS);
  await t.fake.mood({ lose: true });
  await t.fake.dispute(orderId);
  await t.fake.mood({ lose: false, times: 3 });
  // The refund meets a provider whose message about the dispute was lost.
  await refundOrder(t.ctx, { orderId, restock: true });
  await t.fake.closeDisputes(orderId, 'lost');
  await eventually(
    async () => expect(await t.ctx.db.payment.findFirst({ where: { orderId } })).toMatchObject({ status: 'refunded' }),
    IN_TIME_MS,
  );
  await t.fake.resend();
  await t.fake.mood({ times: 1 });
  expect(await fakeOf(orderId)).toMatchObject({ refundedMinor: 0, disputedMinor: PRICE });
  expect(await readBalance(t.ctx.db, 'disputes', 'EUR')).toBe(0);
  await t.expectProof(saleId);
});
