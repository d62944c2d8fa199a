import { expect, test } from '@jest/globals';
import { refundOrder } from '#core/operator/refund-order.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { paymentOf } from '../../../support/money/reading.js';
import { PRICE, payAtProvider, usePayments } from '../../../support/payments.js';

const t = usePayments();

/** Changes the payment of a new paid order, and returns the order's id. */
async function payment(buyerId: string, data: NonNullable<Parameters<typeof t.db.payment.updateMany>[0]>['data']) {
  const { claim } = await payAtProvider(t, buyerId);
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data });
  return claim.claimId;
}

async function dispute(orderId: string, providerDisputeId: string, change: object = {}) {
  const { id: paymentId, provider } = await paymentOf(t, orderId);
  const data = { paymentId, provider, providerDisputeId, status: 'open', amountMinor: 100, currency: 'EUR', ...change };
  await t.db.dispute.create({ data });
}

test('the odd payments are read with their facts, the newest first', async () => {
  const mismatch = { state: 'paid', paymentId: 'pi_x', amountMinor: 1, currency: 'USD' } as const;
  const contradicted = await payment('contradicted', { mismatch });
  await payment('two-tries', { refundAt: new Date(), refundTries: 2 });
  const stuck = await payment('stuck', { refundAt: new Date(), refundTries: 3 });
  await payment('part', { refundMinor: PRICE - 1 });
  const whole = await payment('whole', { refundMinor: PRICE, returnedMinor: PRICE });
  const disputed = await payment('disputed', {});
  await dispute(disputed, 'dp_1');
  await dispute(disputed, 'dp_2', { amountMinor: 30, currency: 'USD' });
  await dispute(disputed, 'dp_3', { status: 'won' });
  const over = await payment('over', {});
  await dispute(over, 'dp_4', { status: 'lost' });
  const two = await payment('two', { mismatch });
  await dispute(two, 'dp_5', { currency: 'USD' });
  const last = await payment('last', {});
  await dispute(last, 'dp_6');
  const [newest, ...odd] = await readOddPayments(t.db, 10);
  expect(newest).toMatchObject({ orderId: last, withheldMinor: 100 });
  expect(odd.map(({ orderId }) => orderId)).toEqual([two, disputed, whole, stuck, contradicted]);
  expect((await readOddPayments(t.db, 1)).map(({ orderId }) => orderId)).toEqual([last]);
  const { saleId, paymentId } = await paymentOf(t, disputed);
  expect(odd[1]).toEqual({
    orderId: disputed,
    buyerId: 'disputed',
    saleId,
    provider: 'signed-webhook',
    paymentId,
    status: 'paid',
    amountMinor: PRICE,
    currency: 'EUR',
    takenCurrency: 'EUR',
    mismatch: null,
    refundTries: 0,
    refundMinor: 0,
    returnedMinor: 0,
    wentBackWhole: false,
    withheldMinor: 100,
    disputes: [
      { disputeId: 'dp_1', amountMinor: 100, currency: 'EUR' },
      { disputeId: 'dp_2', amountMinor: 30, currency: 'USD' },
    ],
  });
  expect(odd[0]?.disputes).toEqual([{ disputeId: 'dp_5', amountMinor: 100, currency: 'USD' }]);
  expect(odd[2]).toMatchObject({ wentBackWhole: true, refundMinor: PRICE, returnedMinor: PRICE, disputes: [] });
  expect(odd[3]).toMatchObject({ refundTries: 3, wentBackWhole: false });
  expect(odd[4]).toMatchObject({ mismatch, takenCurrency: 'USD', currency: 'EUR' });
});

test('a refunded order whose refund is made is not odd', async () => {
  const { claim } = await payAtProvider(t, 'refunded');
  await refundOrder(t, { orderId: claim.claimId, restock: true });
  const found = async () => (await readOddPayments(t.db, 100)).map(({ orderId }) => orderId);
  expect(await found()).not.toContain(claim.claimId);
  await t.db.payment.updateMany({
    where: { orderId: claim.claimId },
    data: { status: 'refunded', refundAt: null, returnedMinor: PRICE, refundMinor: PRICE },
  });
  expect(await found()).not.toContain(claim.claimId);
});
