import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { rescuePayments } from '#core/maintenance/rescue.js';
import { readLatestPayment } from '#core/postgres/money/payment.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { clickToPay, dropPayClick, readPayClicks } from '#core/redis/claims/pay-click.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import { connectRedis } from '#core/redis/connection.js';
import { keysOf, payClicksKeyOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { orderOf } from '../../support/money/reading.js';
import { applyEvents, PRICE, usePayments } from '../../support/payments.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateClick, backdateDeadlines } from '../../support/stores/by-hand.js';

// A click to pay that came in time counts, wherever the queue of payments or a worker was. No test here runs a job.

const t = usePayments();

const clicksOf = (sale: Sale) => readPayClicks(t.redis, sale.id, { olderThanMs: 0, limit: 10 });
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);

/** Returns what the audit says of deadlines. A deadline that a test moved is not in Redis, and the audit says that, too. */
const lateOrders = async (sale: Sale) =>
  (await audit(t.db, t.redis, sale.id))?.violations.filter(text => text.startsWith('I6'));

/** Places an order, and writes its buyer's click to pay. */
async function clicked(buyerId: string, { balance = PRICE, ...wanted }: Partial<Sale> & { balance?: number } = {}) {
  const sale = await openTestSale(t, { units: 1, priceMinor: PRICE, ...wanted });
  if (balance > 0) await creditWallets(t.db, [buyerId], { amountMinor: balance, currency: sale.currency });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  expect(await clickToPay(t.redis, sale.id, buyerId)).toMatchObject({ inTime: true });
  return { sale, claim };
}

describe('an order that its buyer asked to pay in time', () => {
  test('is paid when it would expire, if no job came', async () => {
    const { sale, claim } = await clicked('in-time');
    await backdateClick(t, sale.id, claim);
    expect(await expireOrders(t)).toBe(0);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
    expect(await readBalance(t.db, 'in-time', 'EUR')).toBe(0);
    expect(await clicksOf(sale)).toEqual([]);
    await expectProof(sale);
  });

  test('is paid by a job that comes after the deadline', async () => {
    const { sale, claim } = await clicked('late-job');
    await backdateClick(t, sale.id, claim);
    await payOrder(t, { saleId: sale.id, ...claim });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  });

  test('is paid by rescue long before the deadline, if no job came', async () => {
    const { sale, claim } = await clicked('rescued');
    await rescuePayments(t, sale.id);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'pending_payment' });
    await rescuePayments(t, sale.id, 0);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  });

  test('is paid even if Redis was away for minutes after the deadline', async () => {
    const { sale, claim } = await clicked('long-away');
    await backdateClick(t, sale.id, claim, 300);
    expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(0);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  });

  test('expires when the wallet holds too little', async () => {
    const { sale, claim } = await clicked('poor-in-time', { balance: PRICE - 1 });
    await backdateClick(t, sale.id, claim);
    expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(1);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'unpaid' });
    expect(await clicksOf(sale)).toEqual([]);
  });

  test('stays cancelled when its buyer cancels after the click', async () => {
    const { sale, claim } = await clicked('changed-mind');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await rescuePayments(t, sale.id, 0);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_buyer' });
    expect(await clicksOf(sale)).toEqual([]);
    expect(await readBalance(t.db, 'changed-mind', 'EUR')).toBe(PRICE);
  });

  test('waits for Redis, which has the click', async () => {
    const { sale, claim } = await clicked('redis-away');
    await backdateClick(t, sale.id, claim);
    const away = { ...t, redis: connectRedis(t.redisUrl, 'steps', () => undefined) };
    away.redis.disconnect();
    await expect(expireOrders(away, { claimIds: [claim.claimId] })).rejects.toThrow();
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'pending_payment' });
    await expireOrders(t, { claimIds: [claim.claimId] });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
  });
});

describe('at a provider', () => {
  const elsewhere = { provider: 'signed-webhook', balance: 0 } as const;

  test('the time to pay is as much longer as the click had to wait', async () => {
    const { sale, claim } = await clicked('waited', elsewhere);
    await backdateClick(t, sale.id, claim, 20);
    expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(0);
    // The provider is asked at once, as the click has waited.
    await askProviders(t);
    expect(await readPayUrl(t.redis, sale.id, claim.claimId)).toEqual(expect.any(String));
    const payment = (await t.fake.payments()).find(({ orderId }) => orderId === claim.claimId);
    await t.fake.pay(payment?.id ?? '');
    await applyEvents(t, claim);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
    await expectProof(sale);
  });

  test('an order is kept for a minute at most', async () => {
    const { sale, claim } = await clicked('minute', elsewhere);
    await backdateClick(t, sale.id, claim, 61);
    expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(1);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'unpaid' });
  });

  test('an order whose payment was opened at once is not kept', async () => {
    const { sale, claim } = await clicked('at-once', elsewhere);
    await payOrder(t, { saleId: sale.id, ...claim });
    await backdateDeadlines(t, [claim]);
    expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(1);
  });

  test('an order waits while the provider does not know its payment, and others of the sale expire', async () => {
    const { sale, claim } = await clicked('provider-down', { ...elsewhere, units: 2 });
    const other = await winOne(t, sale, 'no-click');
    await placeOrders(t, { saleId: sale.id, claims: [other] });
    await backdateClick(t, sale.id, claim);
    await backdateDeadlines(t, [other]);
    await t.fake.mood({ down: true });
    expect(await expireOrders(t, { claimIds: [claim.claimId, other.claimId] })).toBe(1);
    await expect(askProviders(t)).rejects.toThrow();
    await t.fake.mood({ down: false });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'pending_payment' });
    expect(await orderOf(t, other.claimId)).toMatchObject({ status: 'cancelled' });
    expect(await lateOrders(sale)).toEqual([]);
  });

  test('the audit accepts an order that is kept, and reports one that is not', async () => {
    const { sale, claim } = await clicked('kept', elsewhere);
    await backdateClick(t, sale.id, claim, 16);
    await expireOrders(t, { claimIds: [claim.claimId] });
    expect(await lateOrders(sale)).toEqual([]);
    await t.db.$executeRaw`UPDATE payments SET waited_ms = 0 WHERE order_id = ${claim.claimId}::uuid`;
    expect(await lateOrders(sale)).toEqual(['I6 an order is 15 s past its deadline: 1']);
    expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(1);
  });

  test('the provider receives the same time in each request, also when it did not answer the first', async () => {
    const { sale, claim } = await clicked('same-time', elsewhere);
    await backdateClick(t, sale.id, claim);
    await expireOrders(t, { claimIds: [claim.claimId] });
    const payByOf = async () => (await readLatestPayment(t.db, claim.claimId, claim.buyerId))?.payByMs;
    const first = await payByOf();
    await askProviders(t);
    expect(await payByOf()).toBe(first);
    expect(first).toBeGreaterThan((await orderOf(t, claim.claimId)).payBy.getTime());
  });

  test('a click makes one attempt, even if it is taken again after the provider refused', async () => {
    const { sale, claim } = await clicked('refused-once', elsewhere);
    await t.fake.mood({ refusePayments: true });
    const click = (await clicksOf(sale))[0];
    await payOrder(t, { saleId: sale.id, ...claim });
    await t.redis.zadd(payClicksKeyOf(sale.id), click?.clickedAtMs ?? 0, `${claim.claimId} ${claim.buyerId}`);
    await payOrder(t, { saleId: sale.id, ...claim });
    await t.fake.mood({ refusePayments: false });
    expect(await t.db.payment.findMany({ where: { orderId: claim.claimId } })).toMatchObject([{ status: 'failed' }]);
  });
});

describe('the click', () => {
  test('does not count after the deadline by the clock of Redis', async () => {
    const sale = await openTestSale(t, { units: 1, payWithinSeconds: 1 });
    const claim = await winOne(t, sale, 'too-late');
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    const { payBy } = await orderOf(t, claim.claimId);
    await eventually(async () => expect(await readRedisMs(t.redis)).toBeGreaterThan(payBy.getTime()));
    expect(await clickToPay(t.redis, sale.id, 'too-late')).toMatchObject({
      inTime: false,
      claim: { claimId: claim.claimId },
    });
    expect(await clicksOf(sale)).toEqual([]);
  });

  test('counts again after the deadline if an earlier one was in time', async () => {
    const { sale, claim } = await clicked('twice');
    await t.redis.hset(keysOf(sale.id).claims, 'twice', `${claim.claimId} 1 pending_payment 1 -`);
    expect(await clickToPay(t.redis, sale.id, 'twice')).toMatchObject({ inTime: true });
  });

  test('of another order of the same buyer does not count', async () => {
    const { sale, claim } = await clicked('again');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    const second = await winOne(t, sale, 'again');
    await placeOrders(t, { saleId: sale.id, claims: [second] });
    await backdateDeadlines(t, [second]);
    expect(await expireOrders(t, { claimIds: [second.claimId] })).toBe(1);
    expect(await readBalance(t.db, 'again', 'EUR')).toBe(PRICE);
  });

  test('stays until the payment is taken, as the process may die before', async () => {
    const { sale, claim } = await clicked('may-die');
    const paid = await whileHeld(t.db, {
      hold: tx => tx.$queryRaw`SELECT FROM orders WHERE id = ${claim.claimId}::uuid FOR UPDATE`,
      calls: [() => payOrder(t, { saleId: sale.id, ...claim })],
      waiting: '%due AS%',
      meanwhile: async () => expect(await clicksOf(sale)).toHaveLength(1),
    });
    expect(paid).toEqual([undefined]);
    expect(await clicksOf(sale)).toEqual([]);
  });

  test('stays when it comes while an earlier one is decided', async () => {
    const { sale, claim } = await clicked('second-click');
    const [first] = await clicksOf(sale);
    if (!first) throw new Error('the first click is missing');
    await eventually(async () => {
      await clickToPay(t.redis, sale.id, claim.buyerId);
      expect((await clicksOf(sale))[0]?.clickedAtMs).toBeGreaterThan(first.clickedAtMs);
    });
    await dropPayClick(t.redis, sale.id, first);
    expect(await clicksOf(sale)).toMatchObject([{ claimId: claim.claimId, buyerId: 'second-click' }]);
  });
});
