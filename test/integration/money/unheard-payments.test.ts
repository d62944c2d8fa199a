import { expect, test } from '@jest/globals';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { requestPayment } from '#core/postgres/money/payment.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { paymentAtProvider, paymentRowOf } from '../../support/money/reading.js';
import { askToPay, PRICE, usePayments } from '../../support/payments.js';
import { openTestSale, winOne } from '../../support/sales.js';

const t = usePayments();

/** Records a payment as a worker does that dies before it calls the provider. */
async function recordOnly(buyerId: string) {
  const sale = await openTestSale(t, { priceMinor: PRICE, provider: 'signed-webhook' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await requestPayment(t.db, { orderId: claim.claimId, buyerId });
  return { sale, claim };
}

const makeDue = (orderId: string) => t.db.payment.updateMany({ where: { orderId }, data: { askAt: new Date(0) } });

test('a payment that the provider does not know is not requested once its order has ended', async () => {
  const { sale, claim } = await recordOnly('ended');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await makeDue(claim.claimId);
  expect(await askProviders(t)).toBe(1);
  expect(await paymentAtProvider(t, claim.claimId)).toBeUndefined();
});

test('a payment that the provider has forgotten is not requested again', async () => {
  const { claim } = await recordOnly('forgotten');
  const { claimId: orderId } = claim;
  await t.db.payment.updateMany({ where: { orderId }, data: { status: 'open', providerPaymentId: 'pi_forgotten' } });
  await makeDue(orderId);
  expect(await askProviders(t)).toBe(1);
  expect(await paymentAtProvider(t, orderId)).toBeUndefined();
  expect(await paymentRowOf(t, orderId)).toMatchObject({ status: 'open', providerPaymentId: 'pi_forgotten' });
});

test('a payment that the provider refuses has failed, and its buyer sees no address', async () => {
  const { sale, claim } = await recordOnly('refused');
  await makeDue(claim.claimId);
  await t.fake.mood({ refusePayments: true });
  expect(await askProviders(t)).toBe(1);
  await t.fake.mood({ refusePayments: false });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'failed', askAt: null });
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toBeUndefined();
});

test('the error of a round names each order about which the provider did not answer', async () => {
  const orders = [await askToPay(t, 'one'), await askToPay(t, 'two')].map(({ claim }) => claim.claimId);
  for (const orderId of orders) await makeDue(orderId);
  await t.fake.mood({ down: true });
  const error = await askProviders(t).then(
    () => new Error('no failure'),
    (failed: Error) => failed,
  );
  await t.fake.mood({ down: false });
  expect(orders.map(orderId => error.message.includes(`order ${orderId}`))).toEqual([true, true]);
});
