import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { rescue } from '#core/maintenance/rescue.js';
import { changeSale } from '#core/operator/change-sale.js';
import type { Database } from '#core/postgres/database.js';
import { refundRow } from '#core/postgres/money/refund.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { keysOf } from '#core/redis/keys.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readMetric } from '../../support/http/metrics.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win } from '../../support/sales.js';
import { backdateReleases, forceClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** A rebuild reads the sale at another time, and counts as a change. */
const ANY_TIME = { atMs: expect.any(Number), version: expect.any(Number) };

/** The metric that warns an operator. */
const GIVEN_UP = 'dropline_claims_given_up_total{why="lost"}';

const rowOf = (claimId: string) => t.db.order.findUnique({ where: { id: claimId } });

/** Opens a sale in which `live`, `paid` and `cancelled` have orders and `unplaced` has a claim. */
async function saleInTheMiddle() {
  const sale = await openTestSale(t, { units: 4, standbyFactor: 1 });
  const [live, paid, cancelled, unplaced] = await win(t, sale, 'live', 'paid', 'cancelled', 'unplaced');
  if (!live || !paid || !cancelled || !unplaced) throw new Error('all four should have won');
  await placeOrders(t, { saleId: sale.id, claims: [live, paid, cancelled] });
  await creditWallets(t.db, ['paid'], { amountMinor: sale.priceMinor, currency: 'EUR' });
  await payOrder(t, { saleId: sale.id, claimId: paid.claimId, buyerId: 'paid' });
  await cancelOrder(t, { saleId: sale.id, ...cancelled });
  return { sale, live, paid, cancelled, unplaced };
}

test('after FLUSHALL a sale comes back from Postgres', async () => {
  const { sale, live, paid, cancelled } = await saleInTheMiddle();
  await t.redis.flushall();
  expect(await rebuild(t, sale.id)).toBe(3);
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect(snapshot?.stock).toEqual([3, 4]);
  expect(snapshot?.claims.get('live')).toMatchObject({ claimId: live.claimId, unit: 1, status: 'pending_payment' });
  expect(snapshot?.claims.get('paid')).toMatchObject({ claimId: paid.claimId, unit: 2, status: 'paid' });
  expect(snapshot?.claims.get('cancelled')).toMatchObject({ claimId: cancelled.claimId, status: 'cancelled' });
  expect(await t.db.repair.count({ where: { saleId: sale.id, kind: 'loaded' } })).toBe(1);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

test('a rebuild keeps unplaced claims and the standby that Redis still has', async () => {
  const { sale, unplaced } = await saleInTheMiddle();
  await win(t, sale, 'next', 'waiting');
  const before = await readSnapshot(t.redis, sale.id);
  await rebuild(t, sale.id);
  const after = await readSnapshot(t.redis, sale.id);
  expect(after).toEqual({ ...before, ...ANY_TIME, claims: after?.claims });
  expect(Object.fromEntries(after?.claims ?? [])).toMatchObject(Object.fromEntries(before?.claims ?? []));
  expect(after?.claims.get('unplaced')?.claimId).toBe(unplaced.claimId);
  expect(await t.db.repair.count({ where: { saleId: sale.id, kind: 'rebuilt' } })).toBe(1);
});

test('a rebuild keeps claims and standby when Redis has lost the sale itself', async () => {
  const { sale, unplaced } = await saleInTheMiddle();
  const [next] = await win(t, sale, 'next', 'waiting');
  const before = await readSnapshot(t.redis, sale.id);
  await t.redis.del(keysOf(sale.id).sale);
  await reconcileAll(t);
  const after = await readSnapshot(t.redis, sale.id);
  expect([after?.stock, after?.outbox, after?.standby]).toEqual([before?.stock, before?.outbox, before?.standby]);
  await rescue(t, sale.id, 0);
  for (const claim of [unplaced, next]) {
    expect(await t.db.order.findUnique({ where: { id: claim?.claimId ?? '' } })).toMatchObject({
      status: 'pending_payment',
      unit: claim?.unit,
    });
  }
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

describe('a claim that contradicts an order', () => {
  test('a claim of a unit with another order ends as lost, and is never placed later', async () => {
    const { sale, live } = await saleInTheMiddle();
    const twin = aClaim({ buyerId: 'twin', unit: live.unit });
    await forceClaim(t, sale.id, twin);
    const givenUp = await readMetric(GIVEN_UP);
    await rebuild(t, sale.id);
    expect(await readMetric(GIVEN_UP)).toBe(givenUp + 1);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('twin')).toMatchObject({ status: 'rejected', reason: 'lost' });
    expect(await rowOf(twin.claimId)).toMatchObject({ status: 'void', reason: 'lost' });
    await cancelOrder(t, { saleId: sale.id, ...live });
    await placeOrders(t, { saleId: sale.id, claims: [twin] });
    expect(await rowOf(twin.claimId)).toMatchObject({ status: 'void', reason: 'lost' });
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });

  test('a second claim of a buyer whose order Redis has lost ends as lost', async () => {
    const { sale, live } = await saleInTheMiddle();
    const second = aClaim({ buyerId: live.buyerId, unit: 3 });
    await forceClaim(t, sale.id, second);
    await rebuild(t, sale.id);
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('live')?.claimId).toBe(live.claimId);
    expect(await rowOf(second.claimId)).toMatchObject({ status: 'void', reason: 'lost' });
    await cancelOrder(t, { saleId: sale.id, ...live });
    await placeOrders(t, { saleId: sale.id, claims: [second] });
    expect(await rowOf(second.claimId)).toMatchObject({ status: 'void' });
    await backdateReleases(t, sale.id, 2);
    await deliverEvents(t);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });
});

describe('changes during a rebuild', () => {
  test('units of a restock that are sold before the gate closes stay sold', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const sold: Claim[] = [];
    const heldUp = beforeScript(t, 'shut-gate', async () => {
      if (sold.length > 0) return;
      await changeSale(t, sale.id, { addUnits: 2 });
      sold.push(...(await win(t, sale, 'a', 'b', 'c')));
    });
    expect(await rebuild(heldUp, sale.id)).toBe(3);
    await rescue(t, sale.id, 0);
    expect(sold.map(({ unit }) => unit)).toEqual([1, 2, 3]);
    for (const { claimId } of sold) expect((await rowOf(claimId))?.status).toBe('pending_payment');
  });

  test('a sale that is closed during a rebuild stays closed', async () => {
    const sale = await openTestSale(t);
    const heldUp = beforeScript(t, 'open-sale', () => changeSale(t, sale.id, { state: 'closed' }));
    expect(await rebuild(heldUp, sale.id)).toBeUndefined();
    expect(await win(t, sale, 'late')).toEqual([]);
    await reconcileAll(t);
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ state: 'closed', generation: 2 });
  });

  test('a unit that is withdrawn during a rebuild is not sold again', async () => {
    const { sale, paid } = await saleInTheMiddle();
    const findMany: Parameters<typeof t.db.$extends>[0] = {
      query: {
        withdrawnUnit: {
          async findMany({ args, query }) {
            const found = await query(args);
            await refundRow(t.db, { orderId: paid.claimId, restock: false });
            return found;
          },
        },
      },
    };
    await rebuild({ ...t, db: t.db.$extends(findMany) as unknown as Database }, sale.id);
    expect((await readSnapshot(t.redis, sale.id))?.stock).not.toContain(paid.unit);
    await backdateReleases(t, sale.id, 2);
    await deliverEvents(t);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });
});

test('a second rebuild changes nothing', async () => {
  const { sale } = await saleInTheMiddle();
  await rebuild(t, sale.id);
  const once = await readSnapshot(t.redis, sale.id);
  await rebuild(t, sale.id);
  expect(await readSnapshot(t.redis, sale.id)).toEqual({ ...once, ...ANY_TIME });
});

test.each(['loaded', 'lost'])('three rebuilds at once of a %s sale leave a sale without violations', async state => {
  for (let i = 0; i < 5; i += 1) {
    const { sale } = await saleInTheMiddle();
    if (state === 'lost') await t.redis.flushall();
    await Promise.all([rebuild(t, sale.id), rebuild(t, sale.id), rebuild(t, sale.id)]);
    await rescue(t, sale.id, 0);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
    expect(await t.redis.keys('*staged*')).toEqual([]);
  }
});

test('an unknown sale is not rebuilt', async () => {
  expect(await rebuild(t, 'nowhere')).toBeUndefined();
});

test('every accepted claim is placed once while a sale is rebuilt again and again', async () => {
  const sale = await openTestSale(t, { units: 400, standbyFactor: 0 });
  const accepted: Claim[] = [];
  let done = false;
  const crowd = async (name: string) => {
    for (let i = 0; i < 40; i += 1) {
      const claims = await win(t, sale, `${name}-${i}a`, `${name}-${i}b`);
      accepted.push(...claims);
      // The worker may meet the closed gate. The outbox then keeps the claims for rescue.
      if (claims.length > 0 && i % 2 === 0) await placeOrders(t, { saleId: sale.id, claims }).catch(() => undefined);
      if (claims[0] && i % 5 === 0) await cancelOrder(t, { saleId: sale.id, ...claims[0] }).catch(() => undefined);
    }
  };
  const rebuilding = (async () => {
    while (!done) await rebuild(t, sale.id);
  })();
  await Promise.all(['x', 'y', 'z'].map(crowd)).finally(() => {
    done = true;
  });
  await rebuilding;
  await backdateReleases(t, sale.id, 2);
  await deliverEvents(t);
  await rescue(t, sale.id, 0);
  expect(accepted.length).toBeGreaterThan(0);
  const orders = new Map((await t.db.order.findMany({ where: { saleId: sale.id } })).map(o => [o.id, o]));
  for (const { claimId, unit } of accepted) expect(orders.get(claimId)?.unit).toBe(unit);
  expect(orders.size).toBe(accepted.length);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

test('500 orders and 200 unplaced claims come back', async () => {
  const sale = await openTestSale(t, { units: 1_000 });
  for (let i = 0; i < 5; i += 1)
    await placeOrders(t, { saleId: sale.id, claims: await win(t, sale, ...buyers(100, `placed${i}-`)) });
  for (let i = 0; i < 2; i += 1) await win(t, sale, ...buyers(100, `unplaced${i}-`));
  expect(await rebuild(t, sale.id)).toBe(700);
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect([snapshot?.stock.length, snapshot?.outbox.size]).toEqual([300, 200]);
});

test('a claim in an old copy of Redis stays ended after a rebuild', async () => {
  const sale = await openTestSale(t, { units: 3 });
  const [first] = await win(t, sale, 'bea');
  if (!first) throw new Error('bea should have won');
  await placeOrders(t, { saleId: sale.id, claims: [first] });
  await cancelOrder(t, { saleId: sale.id, ...first });
  const [second] = await win(t, sale, 'bea');
  if (!second) throw new Error('bea should have won again');
  await placeOrders(t, { saleId: sale.id, claims: [second] });
  await cancelOrder(t, { saleId: sale.id, ...second });
  await forceClaim(t, sale.id, first, { status: 'pending_payment', outbox: false });
  await rebuild(t, sale.id);
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect(snapshot?.claims.get('bea')).toMatchObject({ claimId: second.claimId, status: 'cancelled' });
  expect(snapshot?.stock.sort()).toEqual([1, 2, 3]);
});

test('a claim of a withdrawn unit is rejected, and the unit does not enter stock', async () => {
  const { sale, paid } = await saleInTheMiddle();
  await refundRow(t.db, { orderId: paid.claimId, restock: false });
  const claim = aClaim({ buyerId: 'late', unit: paid.unit });
  await forceClaim(t, sale.id, claim);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect(snapshot?.claims.get('late')).toMatchObject({ status: 'rejected', reason: 'lost' });
  expect(snapshot?.stock).not.toContain(paid.unit);
});

test('a rebuild without enough memory removes its staged keys', async () => {
  const sale = await openTestSale(t, { units: 20_000 });
  const used = Number(/used_memory:(\d+)/.exec(await t.redis.info('memory'))?.[1]);
  await t.redis.config('SET', 'maxmemory', String(used + 20_000));
  await expect(rebuild(t, sale.id)).rejects.toThrow();
  await t.redis.config('SET', 'maxmemory', '0');
  expect(await t.redis.keys('*:staged:*')).toEqual([]);
  await rebuild(t, sale.id);
  expect((await readLoadedSale(t.redis, sale.id))?.remaining).toBe(20_000);
});
