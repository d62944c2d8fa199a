import { expect, test } from '@jest/globals';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { requestPayment } from '#core/postgres/money/payment.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import type { Claim } from '#core/rules/claim.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { paymentRowOf } from '../../support/money/reading.js';
import { askToPay, PRICE, usePayments } from '../../support/payments.js';
import { openTestSale, winOne } from '../../support/sales.js';

const t = usePayments();

const makeDue = ({ claimId }: Claim) =>
  t.db.payment.updateMany({ where: { orderId: claimId }, data: { askAt: new Date(0) } });

test('ask-providers finds a payment whose event was lost', async () => {
  const { claim } = await askToPay(t, 'lost');
  await t.fake.pay(claim.claimId);
  await makeDue(claim);
  await askProviders(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'paid', askAt: null });
  expect(await t.db.order.findUnique({ where: { id: claim.claimId } })).toMatchObject({ status: 'paid' });
});

test('ask-providers finds late money, which buys the unit again', async () => {
  const { sale, claim } = await askToPay(t, 'late');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  await makeDue(claim);
  await askProviders(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({
    status: 'paid',
    paidOrderId: (await paymentRowOf(t, claim.claimId)).regrabClaimId,
  });
});

test('the provider is asked less and less often, just before and after the deadline, and finally no more', async () => {
  const { claim } = await askToPay(t, 'patient', { payWithinSeconds: 60 });
  const secondsTo = async () => {
    const { askAt } = await paymentRowOf(t, claim.claimId);
    return askAt === null ? null : Math.round((askAt.getTime() - Date.now()) / 1_000);
  };
  const next = [await secondsTo()];
  for (let i = 0; i < 4; i += 1) {
    await makeDue(claim);
    await askProviders(t);
    next.push(await secondsTo());
  }
  // 5, 10, 20 and 40 s. The fifth interval of 80 s would end after the deadline.
  expect(next.map(seconds => Math.round((seconds ?? 0) / 5) * 5)).toEqual([5, 10, 20, 40, 55]);
  const end = (seconds: number) => t.db.$executeRaw`UPDATE orders SET version = version + 1,
    pay_by = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${claim.claimId}::uuid`;
  await end(1);
  await makeDue(claim);
  await askProviders(t);
  expect(await secondsTo()).toBeLessThanOrEqual(3);
  await end(-25 * 3_600);
  await makeDue(claim);
  await askProviders(t);
  expect(await secondsTo()).toBeNull();
});

test('ask-providers requests a payment that the provider does not know', async () => {
  const sale = await openTestSale(t, { priceMinor: PRICE, provider: 'signed-webhook' });
  const claim = await winOne(t, sale, 'unheard');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  // The worker died between writing the payment and asking the provider.
  await requestPayment(t.db, { orderId: claim.claimId, buyerId: 'unheard' });
  await makeDue(claim);
  await askProviders(t);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'open', providerPaymentId: expect.any(String) });
  expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toContain('/pay/');
});

test('a provider that is down is not asked for a while', async () => {
  const { claim } = await askToPay(t, 'away');
  await makeDue(claim);
  await t.fake.mood({ down: true });
  await expect(askProviders(t)).rejects.toThrow('503');
  expect(await askProviders(t)).toBe(0);
  await t.fake.mood({ down: false });
});
