import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { RESCUE_AFTER_MS, rescue, rescuePayments } from '#core/maintenance/rescue.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { outboxAgeMs, readOutboxAges } from '#core/redis/claims/outbox.js';
import { clickToPay, payClicksAgeMs } from '#core/redis/claims/pay-click.js';
import { keysOf, payClicksKeyOf } from '#core/redis/keys.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { backdateReleases } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

// The age of what waits is a difference of two times of one store. The clock of the process that asks has no part in it.

const t = useStores();

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PRICE = 500;

/** Only what a test leaves undone waits. */
afterEach(async () => {
  await t.redis.flushall();
  await t.db.outboxEvent.deleteMany();
});

const statusesOf = async (saleId: string) => {
  const orders = await t.db.order.findMany({ where: { saleId }, orderBy: { buyerId: 'asc' } });
  return orders.map(({ buyerId, status }) => `${buyerId} ${status}`);
};

/** Makes the entry of a sorted set older. */
const age = (key: string, member: string, ms = RESCUE_AFTER_MS) => t.redis.zincrby(key, -ms, member);

/** All but the date runs on as usual. */
const REAL = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'requestAnimationFrame',
  'cancelAnimationFrame',
  'requestIdleCallback',
  'cancelIdleCallback',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;

/**
 * Does work while the clock of this process is wrong, and stands still. The stores have clocks of their own.
 *
 * @param hours by which the clock is ahead
 */
async function withWrongClock<T>(hours: number, work: () => Promise<T>): Promise<T> {
  jest.useFakeTimers({ now: Date.now() + hours * HOUR_MS, doNotFake: [...REAL] });
  try {
    return await work();
  } finally {
    jest.useRealTimers();
  }
}

describe.each([-1, 1])('a process whose clock is %i h ahead', hours => {
  test('rescues the claims that have waited, and leaves a younger one to its job', async () => {
    const sale = await openTestSale(t);
    await win(t, sale, 'old', 'young');
    await age(keysOf(sale.id).outbox, 'old');
    expect(await withWrongClock(hours, () => rescue(t, sale.id))).toBe(1);
    expect(await statusesOf(sale.id)).toEqual(['old pending_payment']);
  });

  test('takes the clicks to pay that have waited, and leaves a younger one to its job', async () => {
    const sale = await openTestSale(t, { priceMinor: PRICE });
    await creditWallets(t.db, ['old', 'young'], { amountMinor: PRICE, currency: sale.currency });
    const claims = await win(t, sale, 'old', 'young');
    await placeOrders(t, { saleId: sale.id, claims });
    for (const { buyerId } of claims) await clickToPay(t.redis, sale.id, buyerId);
    await age(payClicksKeyOf(sale.id), `${claims[0]?.claimId} old`);
    await withWrongClock(hours, () => rescuePayments(t, sale.id));
    expect(await statusesOf(sale.id)).toEqual(['old paid', 'young pending_payment']);
  });

  test('carries out the releases that have waited, and leaves a younger one to its worker', async () => {
    const [old, young] = [await openTestSale(t), await openTestSale(t)];
    for (const sale of [old, young]) {
      const claim = await winOne(t, sale, 'ann');
      await placeOrders(t, { saleId: sale.id, claims: [claim] });
      await cancelRow(t.db, sale.id, claim);
    }
    await backdateReleases(t, old.id, 2);
    // The other sale is a minute in the future of what this machine, however slow, reaches in this test.
    await backdateReleases(t, young.id, -60);
    expect(await withWrongClock(hours, () => deliverEvents(t))).toBe(1);
    expect(await t.db.outboxEvent.findMany({ where: { deliveredAt: null } })).toMatchObject([{ saleId: young.id }]);
  });

  test('measures how long claims and clicks have waited', async () => {
    const sale = await openTestSale(t, { units: 10 });
    const claims = await win(t, sale, ...buyers(10));
    for (const { buyerId } of claims) await age(keysOf(sale.id).outbox, buyerId, MINUTE_MS);
    const paying = await openTestSale(t);
    const claim = await winOne(t, paying, 'ann');
    await placeOrders(t, { saleId: paying.id, claims: [claim] });
    await clickToPay(t.redis, paying.id, 'ann');
    await age(payClicksKeyOf(paying.id), `${claim.claimId} ann`, MINUTE_MS);
    const ages = await withWrongClock(hours, async () => [
      (await readOutboxAges(t.redis)).get(sale.id),
      await outboxAgeMs(t.redis),
      await payClicksAgeMs(t.redis),
    ]);
    for (const ageMs of ages) {
      expect(ageMs).toBeGreaterThanOrEqual(MINUTE_MS);
      expect(ageMs).toBeLessThan(30 * MINUTE_MS);
    }
  });
});
