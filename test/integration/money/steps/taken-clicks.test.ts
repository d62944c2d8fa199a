import { expect, test } from '@jest/globals';
import { readLatestPayment, requestPayment } from '#core/postgres/money/payment.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { clickToPay, readPayClicks } from '#core/redis/claims/pay-click.js';
import { dropPayUrl, readPayUrl } from '#core/redis/claims/pay-url.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { createPayment, payOrder, showPayUrl, takeClick } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readMetric } from '../../../support/http/metrics.js';
import { orderOf, paymentAtProvider, paymentOf, paymentRowOf } from '../../../support/money/reading.js';
import { PRICE, usePayments } from '../../../support/payments.js';
import { readSnapshot } from '../../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../../support/sales.js';

// A click to pay: which payments are new, what is called, and what the buyer sees.

const t = usePayments();

/** Places an order whose buyer has clicked. */
async function clicked(buyerId: string, { balance = PRICE, ...wanted }: Partial<Sale> & { balance?: number } = {}) {
  const sale = await openTestSale(t, { units: 1, priceMinor: PRICE, ...wanted });
  if (balance > 0) await creditWallets(t.db, [buyerId], { amountMinor: balance, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await clickToPay(t.redis, sale.id, buyerId);
  return { sale, claim, order: { saleId: sale.id, claimId: claim.claimId, buyerId } };
}
const atProvider = (buyerId: string) => clicked(buyerId, { balance: 0, provider: 'signed-webhook' });

const shownTo = async ({ id }: Sale, { buyerId }: Claim) => (await readSnapshot(t.redis, id))?.claims.get(buyerId);
const urlOf = (sale: Sale, { claimId }: Claim) => readPayUrl(t.redis, sale.id, claimId);
const clicksOf = (sale: Sale) => readPayClicks(t.redis, sale.id, { olderThanMs: 0, limit: 10 });

/** Returns how many orders were counted as paid during some work. */
async function paidDuring(work: () => Promise<unknown>): Promise<number> {
  const paid = () => readMetric('dropline_orders_total{became="paid"}');
  const before = await paid();
  await work();
  return (await paid()) - before;
}

test('a click pays from the wallet once, and only the first take is new', async () => {
  const { sale, claim, order } = await clicked('wallet');
  const paid = await paidDuring(async () => {
    expect(await takeClick(t, order)).toEqual({ isNew: true });
    expect(await takeClick(t, order)).toEqual({ isNew: false });
  });
  expect(paid).toBe(1);
  expect(await clicksOf(sale)).toEqual([]);
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'paid' });
});

test('a click with too little money is new as well, pays nothing, and says why until the order is paid', async () => {
  const { sale, claim, order } = await clicked('poor', { balance: PRICE - 1 });
  expect(await paidDuring(async () => expect(await takeClick(t, order)).toEqual({ isNew: true }))).toBe(0);
  expect(await clicksOf(sale)).toEqual([]);
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'insufficient_funds' });
  await creditWallets(t.db, ['poor'], { amountMinor: 1, currency: 'EUR' });
  await payOrder(t, order);
  expect((await shownTo(sale, claim))?.reason).toBeUndefined();
  expect(await readBalance(t.db, 'poor', 'EUR')).toBe(0);
});

test('a click in a sale that nobody knows, or of an order that has ended, is not new', async () => {
  const { sale, claim, order } = await clicked('ended');
  await cancelOrder(t, { saleId: sale.id, ...claim });
  expect(await takeClick(t, order)).toEqual({ isNew: false });
  expect(await takeClick(t, { ...order, saleId: 'nobodys-sale' })).toEqual({ isNew: false });
  expect(await readBalance(t.db, 'ended', 'EUR')).toBe(PRICE);
});

test('a click at a provider records a payment without a call, and is new until the provider has it', async () => {
  const { sale, claim, order } = await atProvider('recorded');
  await t.fake.mood({ down: true });
  expect(await takeClick(t, order)).toMatchObject({ isNew: true, payment: { status: 'requested' } });
  expect(await clicksOf(sale)).toEqual([]);
  await t.fake.mood({ down: false });
  expect(await urlOf(sale, claim)).toBeUndefined();
  await payOrder(t, order);
  const { payUrl } = await paymentOf(t, claim.claimId);
  expect(await urlOf(sale, claim)).toBe(payUrl);
  expect(payUrl).toContain('/pay/');
  expect(await takeClick(t, order)).toMatchObject({ isNew: false, payment: { status: 'open' } });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  expect(await takeClick(t, order)).toMatchObject({ isNew: false, payment: { payable: false } });
});

test('a payment that was only recorded is not new once its order has ended, and is not created', async () => {
  const { sale, claim, order } = await atProvider('recorded-ended');
  await requestPayment(t.db, { orderId: claim.claimId, buyerId: claim.buyerId });
  await cancelOrder(t, { saleId: sale.id, ...claim });
  expect(await takeClick(t, order)).toMatchObject({ isNew: false, payment: { status: 'requested' } });
  await payOrder(t, order);
  expect(await paymentAtProvider(t, claim.claimId)).toBeUndefined();
  expect(await urlOf(sale, claim)).toBeUndefined();
});

test('a payment with an address is shown again without a call of the provider', async () => {
  const { sale, claim, order } = await atProvider('again');
  await payOrder(t, order);
  const url = await urlOf(sale, claim);
  await dropPayUrl(t.redis, sale.id, claim.claimId);
  await t.fake.mood({ down: true });
  await payOrder(t, order);
  await t.fake.mood({ down: false });
  expect(await urlOf(sale, claim)).toBe(url);
});

test('a payment that is open without an address gets one', async () => {
  const { sale, claim, order } = await atProvider('no-address');
  await payOrder(t, order);
  const url = await urlOf(sale, claim);
  const where = { orderId: claim.claimId };
  for (const data of [{ payUrl: null }, { providerPaymentId: null }]) {
    await t.db.payment.updateMany({ where, data });
    await dropPayUrl(t.redis, sale.id, claim.claimId);
    await payOrder(t, order);
    expect(await urlOf(sale, claim)).toBe(url);
    expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ payUrl: url, providerPaymentId: expect.any(String) });
  }
});

test('a payment that the provider refuses fails, and the buyer sees why', async () => {
  const { sale, claim, order } = await atProvider('refused');
  await t.fake.mood({ refusePayments: true });
  await payOrder(t, order);
  await t.fake.mood({ refusePayments: false });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'failed', askAt: null });
  expect(await urlOf(sale, claim)).toBeUndefined();
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
});

test('after ten refused payments the provider is not called again, and the buyer sees why', async () => {
  const { sale, claim, order } = await atProvider('ten');
  await t.fake.mood({ refusePayments: true });
  for (let i = 0; i < 10; i += 1) await payOrder(t, order);
  await t.fake.mood({ refusePayments: false });
  await payOrder(t, order);
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ attempt: 10, status: 'failed' });
  expect(await paymentAtProvider(t, claim.claimId)).toBeUndefined();
  expect(await shownTo(sale, claim)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
});

test('a payment that fails while it is created is refused', async () => {
  const { claim } = await atProvider('crossing');
  const payment = await requestPayment(t.db, { orderId: claim.claimId, buyerId: claim.buyerId });
  if (!payment) throw new Error('no payment');
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { status: 'failed' } });
  expect(await createPayment(t, payment)).toEqual({ kind: 'refused', reason: 'payment_refused' });
  expect(await paymentRowOf(t, claim.claimId)).toMatchObject({ status: 'failed', payUrl: expect.any(String) });
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'pending_payment' });
});

test('the address of a failed payment is taken away again, and one of another payment stays', async () => {
  const { sale, claim, order } = await atProvider('shown');
  await payOrder(t, order);
  const facts = { orderId: claim.claimId, buyerId: claim.buyerId };
  const { payUrl } = (await readLatestPayment(t.db, claim.claimId, claim.buyerId)) ?? {};
  if (!payUrl) throw new Error('no address');
  expect(await showPayUrl(t, sale.id, { ...facts, payUrl })).toBeNull();
  expect(await urlOf(sale, claim)).toBe(payUrl);
  await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data: { status: 'failed' } });
  expect(await showPayUrl(t, sale.id, { ...facts, payUrl: 'https://pay.example/other' })).toBeNull();
  expect(await urlOf(sale, claim)).toBe('https://pay.example/other');
  expect(await showPayUrl(t, sale.id, { ...facts, payUrl })).toBe('payment_refused');
  expect(await urlOf(sale, claim)).toBeUndefined();
});
