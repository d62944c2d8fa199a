import { describe, expect, test } from '@jest/globals';
import { readLatestOrders } from '#core/postgres/orders/sale-orders.js';
import { clickToPay } from '#core/redis/claims/pay-click.js';
import { keysOf } from '#core/redis/keys.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { takeClick } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { orderOf } from '../../support/money/reading.js';
import { askToPay, PRICE, usePayments } from '../../support/payments.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

// Which ends are strikes: Postgres decides it with the end.

const t = usePayments();

const AT_PROVIDER = { units: 1, priceMinor: PRICE, provider: 'signed-webhook', unpaidLimit: 2 } as const;

async function placed(buyerId: string, wanted: Partial<Sale> = {}): Promise<{ sale: Sale; claim: Claim }> {
  const sale = await openTestSale(t, { ...AT_PROVIDER, ...wanted });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { sale, claim };
}

/** Lets the buyer of an order ask to pay some seconds before the deadline; the provider is not called. */
async function requested(buyerId: string, wanted: Partial<Sale> = {}) {
  const { sale, claim } = await placed(buyerId, wanted);
  await clickToPay(t.redis, sale.id, buyerId);
  await takeClick(t, { saleId: sale.id, ...claim });
  return { sale, claim };
}

/** Ends the time to pay of an order, which its buyer asked to pay some seconds before that. */
async function expire({ claimId, ...claim }: Claim, clickedBeforeSeconds: number): Promise<void> {
  await backdateDeadlines(t, [{ claimId, ...claim }]);
  await t.db.$executeRaw`UPDATE orders SET placed_at = pay_by - interval '60 seconds', version = version + 1
    WHERE id = ${claimId}::uuid`;
  await t.db
    .$executeRaw`UPDATE payments p SET waited_ms = 0, clicked_at = o.pay_by - ${clickedBeforeSeconds} * interval '1 second'
    FROM orders o WHERE o.id = p.order_id AND o.id = ${claimId}::uuid`;
  await expireOrders(t, { claimIds: [claimId] });
}

const reasonOf = async ({ claimId }: Claim) => (await orderOf(t, claimId)).reason;

/** The strikes of a buyer, by the orders and in Redis. */
async function strikesOf(sale: Sale, buyerId: string): Promise<(number | undefined)[]> {
  const [order] = await readLatestOrders(t.db, sale.id, [buyerId]);
  return [order?.strikes, (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId)?.strikes];
}

describe('an order whose time to pay is over', () => {
  test('is a strike if its buyer did nothing', async () => {
    const { sale, claim } = await placed('idle');
    await expire(claim, 0);
    expect(await reasonOf(claim)).toBe('unpaid');
    expect(await strikesOf(sale, 'idle')).toEqual([1, 1]);
  });

  test('is none if its buyer asked to pay, and the provider was away', async () => {
    const { sale, claim } = await requested('honest');
    await expire(claim, 30);
    expect(await reasonOf(claim)).toBe('provider_failed');
    expect(await strikesOf(sale, 'honest')).toEqual([undefined, undefined]);
  });

  test.each([
    ['the provider refused to create the payment', { status: 'failed', payUrl: null }, 'provider_failed'],
    ['the state of the payment is unknown', { status: 'open', payUrl: null }, 'provider_failed'],
    ['the provider offered the payment', { status: 'open' }, 'unpaid'],
    ['the card was refused', { status: 'failed' }, 'unpaid'],
  ])('ends for its reason: %s', async (_what, data, reason) => {
    const { claim } = await askToPay(t, 'payer', AT_PROVIDER);
    await t.db.payment.updateMany({ where: { orderId: claim.claimId }, data });
    await expire(claim, 30);
    expect(await reasonOf(claim)).toBe(reason);
  });

  test('counts the latest attempt: the second one was never offered', async () => {
    const { sale, claim } = await askToPay(t, 'again', AT_PROVIDER);
    await t.db.$executeRaw`UPDATE payments SET status = 'failed' WHERE order_id = ${claim.claimId}::uuid`;
    await clickToPay(t.redis, sale.id, 'again');
    await takeClick(t, { saleId: sale.id, ...claim });
    expect(await t.db.payment.count({ where: { orderId: claim.claimId } })).toBe(2);
    await expire(claim, 30);
    expect(await reasonOf(claim)).toBe('provider_failed');
  });

  test('is a strike if its buyer asked a moment before the end: the provider had no time', async () => {
    const { claim } = await requested('last-second');
    await expire(claim, 9);
    expect(await reasonOf(claim)).toBe('unpaid');
  });

  test('needs no more than a quarter of a short time to pay', async () => {
    const { claim } = await requested('short');
    await backdateDeadlines(t, [claim]);
    await t.db
      .$executeRaw`UPDATE orders SET placed_at = pay_by - interval '20 seconds', version = version + 1 WHERE id = ${claim.claimId}::uuid`;
    await t.db.$executeRaw`UPDATE payments p SET waited_ms = 0, clicked_at = o.pay_by - interval '6 seconds'
      FROM orders o WHERE o.id = p.order_id AND o.id = ${claim.claimId}::uuid`;
    await expireOrders(t, { claimIds: [claim.claimId] });
    expect(await reasonOf(claim)).toBe('provider_failed');
  });
});

describe('an order that its buyer gives up', () => {
  test('is a strike, also before it is placed', async () => {
    const sale = await openTestSale(t, AT_PROVIDER);
    for (const isPlaced of [true, false]) {
      await t.redis.hset(keysOf(sale.id).sale, 'freeAtMs', 0);
      const claim = await winOne(t, sale, 'quitter');
      if (isPlaced) await placeOrders(t, { saleId: sale.id, claims: [claim] });
      await cancelOrder(t, { saleId: sale.id, ...claim });
      expect(await reasonOf(claim)).toBe('cancelled_by_buyer');
    }
    expect(await strikesOf(sale, 'quitter')).toEqual([2, 2]);
  });

  test('is none after the provider had its time and offered nothing', async () => {
    const { sale, claim } = await requested('gave-up');
    await t.db
      .$executeRaw`UPDATE payments SET clicked_at = clicked_at - interval '11 seconds' WHERE order_id = ${claim.claimId}::uuid`;
    await cancelOrder(t, { saleId: sale.id, ...claim });
    expect(await reasonOf(claim)).toBe('provider_failed');
    expect(await strikesOf(sale, 'gave-up')).toEqual([undefined, undefined]);
  });

  test('is a strike right after the click to pay', async () => {
    const { sale, claim } = await requested('trickster');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    expect(await reasonOf(claim)).toBe('cancelled_by_buyer');
    expect(await strikesOf(sale, 'trickster')).toEqual([1, 1]);
  });
});

test('an order that the wallet cannot pay at once is a strike', async () => {
  const sale = await openTestSale(t, { units: 1, priceMinor: PRICE, settlement: 'immediate', unpaidLimit: 2 });
  const claim = await winOne(t, sale, 'poor');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  expect(await reasonOf(claim)).toBe('insufficient_funds');
  expect(await strikesOf(sale, 'poor')).toEqual([1, 1]);
});

test('a sale without a limit counts nothing', async () => {
  const { sale, claim } = await placed('free', { unpaidLimit: 0 });
  await expire(claim, 0);
  expect(await strikesOf(sale, 'free')).toEqual([undefined, undefined]);
});
