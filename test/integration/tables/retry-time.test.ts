import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { insertOrders } from '#core/postgres/orders/insert-orders.js';
import { readStatuses } from '#core/redis/claims/status.js';
import type { Claim } from '#core/rules/claim.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { releaseUnits } from '#core/steps/release-units.js';
import { buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

// A unit that ended unpaid comes round quickly: its next buyer has a shorter time to pay.

const t = useStores();

const ORDINARY_SECONDS = 600;
const RETRY_SECONDS = 90;

const openSale = (wanted = {}) =>
  openTestSale(t, {
    units: 4,
    priceMinor: 0,
    payWithinSeconds: ORDINARY_SECONDS,
    retryPayWithinSeconds: RETRY_SECONDS,
    ...wanted,
  });

/** Returns the time that a claim's order has to be paid, in s, by the rows of Postgres. */
async function secondsOf({ claimId }: Claim): Promise<number> {
  const { payBy, placedAt } = await t.db.order.findUniqueOrThrow({ where: { id: claimId } });
  return (payBy.getTime() - placedAt.getTime()) / 1_000;
}

/** Claims the next unit for one buyer and places it. */
async function place(saleId: string, buyerId: string): Promise<Claim> {
  const claim = await winOne(t, { id: saleId }, buyerId);
  await placeOrders(t, { saleId, claims: [claim] });
  return claim;
}

type End = (saleId: string, claim: Claim) => Promise<unknown>;

const expire: End = async (_, claim) => {
  await backdateDeadlines(t, [claim]);
  await expireOrders(t);
};
const giveUp: End = (saleId, claim) => cancelOrder(t, { saleId, ...claim });
const refund: End = async (saleId, claim) => {
  await payOrder(t, { saleId, ...claim });
  await refundOrder(t, { orderId: claim.claimId, restock: true });
};

describe('the next buyer of a unit', () => {
  test.each([
    ['that was not paid in time', expire],
    ['that its buyer gave up', giveUp],
  ])('%s has the shorter time to pay', async (_, end) => {
    const sale = await openSale({ units: 1 });
    await end(sale.id, await place(sale.id, 'first'));
    expect(await secondsOf(await place(sale.id, 'next'))).toBe(RETRY_SECONDS);
  });

  test('that was given up before its order was placed has the shorter time to pay', async () => {
    const sale = await openSale({ units: 1 });
    await giveUp(sale.id, await winOne(t, sale, 'first'));
    expect(await secondsOf(await place(sale.id, 'next'))).toBe(RETRY_SECONDS);
  });

  test('that was paid and refunded has the ordinary time', async () => {
    const sale = await openSale({ units: 1 });
    await refund(sale.id, await place(sale.id, 'first'));
    expect(await secondsOf(await place(sale.id, 'next'))).toBe(ORDINARY_SECONDS);
  });

  test('of which only a claim was lost, and never an order, has the ordinary time', async () => {
    const sale = await openSale({ units: 1 });
    const lost = await winOne(t, sale, 'first');
    await releaseUnits(t, await insertTombstones(t.db, { saleId: sale.id, claims: [lost], reason: 'lost' }));
    expect(await secondsOf(await place(sale.id, 'next'))).toBe(ORDINARY_SECONDS);
  });

  test('of a sale without a shorter time has the ordinary one', async () => {
    const sale = await openSale({ units: 1, retryPayWithinSeconds: undefined });
    await expire(sale.id, await place(sale.id, 'first'));
    expect(await secondsOf(await place(sale.id, 'next'))).toBe(ORDINARY_SECONDS);
  });

  test('has the shorter time when they come from standby', async () => {
    const sale = await openSale({ units: 1, standbyFactor: 1 });
    const first = await place(sale.id, 'first');
    await win(t, sale, 'waits');
    await expire(sale.id, first);
    const [promoted] = await readStatuses(t.redis, sale.id, ['waits']);
    const claim = { buyerId: 'waits', claimId: promoted?.claim?.claimId ?? '', unit: 1 };
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    expect(await secondsOf(claim)).toBe(RETRY_SECONDS);
  });
});

describe('a batch of new units and of units that came back', () => {
  /** Lets two of four units come back, and places all four in one batch. */
  async function placeBatch(): Promise<{ saleId: string; claims: Claim[] }> {
    const sale = await openSale();
    await expire(sale.id, await place(sale.id, 'a'));
    await expire(sale.id, await place(sale.id, 'b'));
    const claims = await win(t, sale, ...buyers(4));
    await placeOrders(t, { saleId: sale.id, claims });
    return { saleId: sale.id, claims };
  }

  test('tells each buyer the deadline of their own order', async () => {
    const { saleId, claims } = await placeBatch();
    const seconds = await Promise.all(claims.map(secondsOf));
    expect(seconds.sort()).toEqual([ORDINARY_SECONDS, ORDINARY_SECONDS, RETRY_SECONDS, RETRY_SECONDS]);
    const rows = await t.db.order.findMany({ where: { id: { in: claims.map(({ claimId }) => claimId) } } });
    const statuses = await readStatuses(
      t.redis,
      saleId,
      rows.map(({ buyerId }) => buyerId),
    );
    expect(statuses.map(({ claim }) => claim?.payByMs)).toEqual(rows.map(({ payBy }) => payBy.getTime()));
    expect((await audit(t.db, t.redis, saleId))?.violations).toEqual([]);
  });

  test('queues the expiry of both deadlines', async () => {
    const { claims } = await placeBatch();
    const rows = await t.db.order.findMany({ where: { id: { in: claims.map(({ claimId }) => claimId) } } });
    const due = new Set(rows.map(({ payBy }) => 1_000 * Math.ceil(payBy.getTime() / 1_000)));
    const delayed = await t.queues.of('')['expire-due'].getDelayed();
    expect(due.size).toBe(2);
    expect(delayed.map(job => job.data.dueAtMs)).toEqual(expect.arrayContaining([...due]));
  });

  test('is placed once and keeps its deadlines when it is placed again', async () => {
    const { saleId, claims } = await placeBatch();
    const before = await Promise.all(claims.map(secondsOf));
    const { placed, known } = await insertOrders(t.db, saleId, claims);
    expect([placed.length, known.length]).toEqual([0, 4]);
    expect(await Promise.all(claims.map(secondsOf))).toEqual(before);
  });
});
