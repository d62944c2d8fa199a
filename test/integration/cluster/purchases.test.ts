import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { beginPurchases, confirmPlaced, endPurchasesOf } from '#core/redis/purchases/purchases.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import type { Sale } from '#core/rules/sale.js';
import { locksOf, useCluster, whileAway } from '../../support/redis/cluster.js';
import { slotOf } from '../../support/redis/slot-owner.js';
import { aSale } from '../../support/sales.js';

// The locks of orders on a Redis Cluster. The times of the sales make those of the tests no difference.

const c = useCluster(1);

const DAY_MS = 86_400_000;
const PAY_WITHIN_MS = 20 * DAY_MS;
/** A lock outlives the time to pay by this, in ms. */
const MARGIN_MS = 60_000;
const PAUSE_MS = 15 * DAY_MS;
const BOTH = { onePurchaseAtATime: true, minSecondsBetweenPurchases: PAUSE_MS / 1_000 };

async function open(rules: Partial<Sale>): Promise<Sale> {
  const sale = aSale({ payWithinSeconds: PAY_WITHIN_MS / 1_000, ...rules });
  await openSale(c.redis, sale);
  return sale;
}

/** Makes an order that was won this long ago. */
function anOrder(agoMs: number, status = 'pending_payment') {
  const start = (Date.now() - agoMs).toString(16).padStart(12, '0');
  const claimId = `${start.slice(0, 8)}-${start.slice(8)}${randomUUID().slice(13)}`;
  return { buyerId: `buyer-${randomUUID().slice(0, 8)}`, claimId, status };
}

/** Reads the lock and the pause of an order's buyer: who has them, and for how long, in ms. */
async function heldBy(buyerId: string) {
  const redis = c.redis.of(buyerId);
  const { lock, pause } = locksOf(buyerId);
  const [holder, pauser, lockMs, pauseMs] = await Promise.all([
    redis.get(lock),
    redis.get(pause),
    redis.pttl(lock),
    redis.pttl(pause),
  ]);
  return { holder, pauser, lockMs, pauseMs };
}

const expectLeft = (leftMs: number, expectedMs: number): void => {
  expect(leftMs).toBeGreaterThan(expectedMs - DAY_MS / 2);
  expect(leftMs).toBeLessThanOrEqual(expectedMs + 1_000);
};

describe('confirming the locks of orders', () => {
  test('gives each buyer the lock and the pause that are left since the win', async () => {
    const sale = await open(BOTH);
    const orders = [anOrder(0), anOrder(3 * DAY_MS)];
    expect(await confirmPlaced(c.redis, sale.id, orders)).toEqual({ confirmed: orders });
    for (const [{ buyerId, claimId }, agoMs] of [
      [orders[0], 0],
      [orders[1], 3 * DAY_MS],
    ] as [ReturnType<typeof anOrder>, number][]) {
      const { holder, pauser, lockMs, pauseMs } = await heldBy(buyerId);
      expect([holder, pauser]).toEqual([claimId, claimId]);
      expectLeft(lockMs, PAY_WITHIN_MS + MARGIN_MS - agoMs);
      expectLeft(pauseMs, PAUSE_MS - agoMs);
    }
  });

  test('is the same the second time', async () => {
    const sale = await open(BOTH);
    const order = anOrder(DAY_MS);
    await confirmPlaced(c.redis, sale.id, [order]);
    const before = await heldBy(order.buyerId);
    await confirmPlaced(c.redis, sale.id, [order]);
    const after = await heldBy(order.buyerId);
    expect([after.holder, after.pauser]).toEqual([order.claimId, order.claimId]);
    expectLeft(after.lockMs, before.lockMs);
    expectLeft(after.pauseMs, before.pauseMs);
  });

  test('gives no lock to an order that is paid, and its pause counts on', async () => {
    const sale = await open(BOTH);
    const order = anOrder(DAY_MS, 'paid');
    await confirmPlaced(c.redis, sale.id, [order]);
    const { holder, pauser, pauseMs } = await heldBy(order.buyerId);
    expect([holder, pauser]).toEqual([null, order.claimId]);
    expectLeft(pauseMs, PAUSE_MS - DAY_MS);
  });

  test('gives nothing to an order that was won before a lock and a pause could last until now', async () => {
    const sale = await open(BOTH);
    const [long, longer] = [anOrder(PAUSE_MS + DAY_MS), anOrder(PAY_WITHIN_MS + DAY_MS)];
    await confirmPlaced(c.redis, sale.id, [long, longer]);
    expect(await heldBy(long.buyerId)).toMatchObject({ holder: long.claimId, pauser: null });
    expect(await heldBy(longer.buyerId)).toMatchObject({ holder: null, pauser: null });
  });

  test('makes no lock longer for a win by a clock that is ahead of the node of the sale', async () => {
    const sale = await open(BOTH);
    const order = anOrder(-2 * DAY_MS);
    await confirmPlaced(c.redis, sale.id, [order]);
    const { lockMs, pauseMs } = await heldBy(order.buyerId);
    expectLeft(lockMs, PAY_WITHIN_MS + MARGIN_MS);
    expectLeft(pauseMs, PAUSE_MS);
  });

  test.each([
    ['one purchase at a time', { onePurchaseAtATime: true }, { isLocked: true, isPaused: false }],
    ['a pause', { minSecondsBetweenPurchases: 600 }, { isLocked: false, isPaused: true }],
    ['no rule', {}, { isLocked: false, isPaused: false }],
  ])('of a sale with %s writes no other key', async (_, rules, { isLocked, isPaused }) => {
    const sale = await open(rules);
    const order = anOrder(0);
    expect(await confirmPlaced(c.redis, sale.id, [order])).toEqual({ confirmed: [order] });
    const { holder, pauser } = await heldBy(order.buyerId);
    expect([holder, pauser]).toEqual([isLocked ? order.claimId : null, isPaused ? order.claimId : null]);
  });

  test('leaves out the orders of buyers whose bucket is away, with the reason, and no others', async () => {
    const sale = await open(BOTH);
    const here = anOrder(0);
    let there = anOrder(0);
    while ([here.buyerId, sale.id].some(id => slotOf(id) === slotOf(there.buyerId))) there = anOrder(0);
    const confirm = () => confirmPlaced(c.redis, sale.id, [there, here]);
    const outcome = await whileAway(c, there.buyerId, confirm);
    expect(outcome).toEqual({ confirmed: [here], error: expect.any(Error) });
    expect(await heldBy(here.buyerId)).toMatchObject({ holder: here.claimId });
  });
});

describe('the purchase of a claim that was made without a click', () => {
  test.each([
    ['one purchase at a time', { onePurchaseAtATime: true }, { isLocked: true, isPaused: false }],
    ['a pause', { minSecondsBetweenPurchases: 600 }, { isLocked: false, isPaused: true }],
    ['no rule', {}, { isLocked: false, isPaused: false }],
  ])('begins with the locks that its sale wants: %s', async (_, rules, { isLocked, isPaused }) => {
    const sale = await open(rules);
    const claim = anOrder(0);
    await beginPurchases(c.redis, sale.id, [claim]);
    const { holder, pauser } = await heldBy(claim.buyerId);
    expect([holder, pauser]).toEqual([isLocked ? claim.claimId : null, isPaused ? claim.claimId : null]);
  });

  test('ends with its lock, and its pause stays', async () => {
    const sale = await open(BOTH);
    const [claim, other] = [anOrder(0), anOrder(0)];
    await beginPurchases(c.redis, sale.id, [claim, other]);
    await endPurchasesOf(c.redis, sale.id, [claim]);
    expect(await heldBy(claim.buyerId)).toMatchObject({ holder: null, pauser: claim.claimId });
    expect(await heldBy(other.buyerId)).toMatchObject({ holder: other.claimId, pauser: other.claimId });
  });
});
