import { expect, test } from '@jest/globals';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { paymentAtProvider } from '../../support/money/reading.js';
import { PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';

const t = usePayments();

test('a refund of everything has the key of the payment alone, and one of a part has the totals in it', async () => {
  const { claim: whole } = await payAtProvider(t, 'whole');
  const { claim: part } = await payAtProvider(t, 'part');
  await refundOrder(t, { orderId: whole.claimId, restock: true });
  await refundOrderPartially(t, { orderId: part.claimId, amountMinor: PART, refundedMinor: 0 });
  expect(await finishPayments(t)).toBe(2);
  expect(await finishPayments(t)).toBe(0);
  expect((await paymentAtProvider(t, whole.claimId))?.refunds).toEqual([
    { key: `refund-${whole.claimId}`, status: 'refunded' },
  ]);
  await refundOrder(t, { orderId: part.claimId, restock: true });
  expect(await finishPayments(t)).toBe(1);
  expect((await paymentAtProvider(t, part.claimId))?.refunds).toEqual([
    { key: `refund-${part.claimId}-0-${PART}`, amountMinor: PART, status: 'refunded' },
    { key: `refund-${part.claimId}-${PART}-${PRICE}`, amountMinor: PRICE - PART, status: 'refunded' },
  ]);
});

test('the error of a round names each order whose money did not go back', async () => {
  const orders: string[] = [];
  for (const buyerId of ['one', 'two']) {
    const { claim } = await payAtProvider(t, buyerId);
    await refundOrder(t, { orderId: claim.claimId, restock: true });
    orders.push(claim.claimId);
  }
  await t.fake.mood({ down: true });
  const error = await finishPayments(t).then(
    () => new Error('no failure'),
    (failed: Error) => failed,
  );
  await t.fake.mood({ down: false });
  expect(orders.map(orderId => error.message.includes(`order ${orderId}`))).toEqual([true, true]);
});
