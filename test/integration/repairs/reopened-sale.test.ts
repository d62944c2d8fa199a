import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { lastingDifferences } from '#core/comparison/lasting.js';
import { lookAt } from '#core/comparison/look.js';
import { reconcile, reconcileAll } from '#core/maintenance/reconcile.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { readLatestOrders } from '#core/postgres/orders/sale-orders.js';
import { readSale, updateSale } from '#core/postgres/sales.js';
import { keysOf } from '#core/redis/keys.js';
import { carryOver, readLoadedSale, readRunId, setSale } from '#core/redis/sale/sale.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { readSnapshot, type Snapshot } from '../../support/redis/snapshot.js';
import { wrapRedis } from '../../support/redis/wrap-redis.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { forceClaim, loseClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Opens a sale with a placed order of `ann`. */
async function saleWithOrder(): Promise<{ sale: Sale; placed: Claim }> {
  const sale = await openTestSale(t);
  const placed = await winOne(t, sale, 'ann');
  await placeOrders(t, { saleId: sale.id, claims: [placed] });
  return { sale, placed };
}

/** Shuts the gate of a sale, like a restart of Redis. */
const restart = ({ id }: Sale) => setSale(t.redis, id, { runId: 'another-run' });

const kindsOf = (repairs: { kind: string }[] | undefined) => repairs?.map(({ kind }) => kind);

async function snapshotOf({ id }: Sale): Promise<Snapshot> {
  const snapshot = await readSnapshot(t.redis, id);
  if (!snapshot) throw new Error(`sale ${id} is not loaded`);
  return snapshot;
}

describe('after a restart of Redis', () => {
  test('a missing release and a status that is behind are repaired one by one', async () => {
    const { sale, placed } = await saleWithOrder();
    await cancelRow(t.db, sale.id, placed);
    await restart(sale);
    expect(kindsOf((await reconcile(t, sale.id))?.repairs)).toEqual(['released_claim']);

    const behind = await saleWithOrder();
    await forceClaim(t, behind.sale.id, behind.placed, { outbox: false });
    await restart(behind.sale);
    expect(kindsOf((await reconcile(t, behind.sale.id))?.repairs)).toEqual(['recorded_status']);
  });

  test('a missing claim has the whole sale rebuilt, as more may be missing', async () => {
    const { sale, placed } = await saleWithOrder();
    await loseClaim(t, sale.id, placed);
    await restart(sale);
    expect(kindsOf((await reconcile(t, sale.id))?.repairs)).toEqual(['rebuilt']);
    expect((await snapshotOf(sale)).claims.get('ann')?.claimId).toBe(placed.claimId);
  });

  test('every sale is open before the first one is repaired', async () => {
    const sales = [await saleWithOrder(), await saleWithOrder()];
    for (const { sale, placed } of sales) {
      await forceClaim(t, sale.id, placed, { outbox: false });
      await restart(sale);
    }
    const runId = await readRunId(t.redis);
    const open: boolean[] = [];
    const heldUp = beforeScript(t, 'record-status', async () => {
      for (const { sale } of sales) open.push((await readLoadedSale(t.redis, sale.id))?.runId === runId);
    });
    await reconcileAll(heldUp);
    expect(open.length).toBeGreaterThanOrEqual(4);
    expect(open).not.toContain(false);
    for (const { sale } of sales) expect((await snapshotOf(sale)).claims.get('ann')?.status).toBe('pending_payment');
  });

  test('a sale that was closed meanwhile sells nothing between its opening and its comparison', async () => {
    const { sale } = await saleWithOrder();
    await reconcileAll(t);
    await updateSale(t.db, sale.id, { state: 'closed' });
    await restart(sale);
    const sold: Claim[] = [];
    let opened = 0;
    const runId = await readRunId(t.redis);
    const heldUp = beforeScript(t, 'set-sale', async () => {
      if ((await readLoadedSale(t.redis, sale.id))?.runId === runId) opened += 1;
      sold.push(...(await win(t, sale, 'late')));
    });
    await reconcileAll(heldUp);
    expect(opened).toBeGreaterThan(0);
    expect([sold, (await readLoadedSale(t.redis, sale.id))?.state]).toEqual([[], 'closed']);
  });

  test('a sale whose gate was opened is compared in the same round, whatever its pace', async () => {
    const { sale, placed } = await saleWithOrder();
    await reconcileAll(t);
    await forceClaim(t, sale.id, placed, { outbox: false });
    await restart(sale);
    const notDue = { isDue: () => false, isWaitedFor: () => false, compared: () => undefined };
    const results = await reconcileAll(t, notDue as never);
    const result = results.find(({ saleId }) => saleId === sale.id);
    expect(kindsOf(result?.repairs)).toEqual(['recorded_status']);
  });
});

describe('a difference lasts', () => {
  const look = async ({ id }: Sale) => {
    const seen = await lookAt(t, id);
    if (!seen) throw new Error('Redis lacks the sale');
    return seen;
  };

  test('if the second look finds it, too', async () => {
    const { sale, placed } = await saleWithOrder();
    await forceClaim(t, sale.id, placed, { outbox: false });
    const found = await lastingDifferences(t, sale.id, await look(sale));
    expect(kindsOf(found)).toEqual(['status_behind']);
  });

  test('not if the second look finds none, or only another one', async () => {
    const { sale, placed } = await saleWithOrder();
    // In this look, the claim of the order has not arrived yet.
    const order = (await readLatestOrders(t.db, sale, [placed.buyerId]))[0];
    if (!order) throw new Error('the order is missing');
    const early = { ...(await look(sale)), differences: [{ kind: 'claim_missing' as const, order }] };
    expect(await lastingDifferences(t, sale.id, early)).toEqual([]);
    await forceClaim(t, sale.id, placed, { outbox: false });
    expect(await lastingDifferences(t, sale.id, early)).toEqual([]);
  });

  test('of the units only that are wrong again at one instant', async () => {
    const { sale } = await saleWithOrder();
    await t.redis.rpush(keysOf(sale.id).stock, 1);
    const first = await look(sale);
    const moving = { ...first, differences: [{ kind: 'units_wrong' as const, units: [1, 2] }] };
    expect(await lastingDifferences(t, sale.id, moving)).toEqual([{ kind: 'units_wrong', units: [1] }]);
  });
});

test('a unit that changes hands in every look is not wrong', async () => {
  const sale = await openTestSale(t, { units: 1 });
  let times = 0;
  // The claims were read before, while the unit was in stock; now it is with a buyer. So a look by pages finds it nowhere.
  const redis = wrapRedis(t.redis, 'lrange', lrange => async (...args) => {
    times += 1;
    const claim = await winOne(t, sale, `mover-${times}`);
    const units = await lrange(...args);
    await cancelOrder(t, { saleId: sale.id, ...claim });
    return units;
  });
  const first = await lookAt({ db: t.db, redis }, sale.id);
  expect(first?.differences).toEqual([{ kind: 'units_wrong', units: [1] }]);
  if (first) expect(await lastingDifferences({ db: t.db, redis }, sale.id, first)).toEqual([]);
  expect(times).toBeGreaterThan(1);
});

test('a restock whose process died after the state had reached Redis is finished', async () => {
  const { sale } = await saleWithOrder();
  const before = (await snapshotOf(sale)).units;
  await updateSale(t.db, sale.id, { addUnits: 2 });
  const changed = await readSale(t.db, sale.id);
  if (!changed) throw new Error('the sale is missing');
  const dying = beforeScript(t, 'restock', () => Promise.reject(new Error('the process dies')));
  await expect(carryOver(dying.redis, changed)).rejects.toThrow('the process dies');
  await reconcile(t, sale.id);
  expect((await snapshotOf(sale)).units).toBe(before + 2);
});

test('a claim may wait 15 s for its order, and the audit reports one that has waited longer', async () => {
  const sale = await openTestSale(t);
  await win(t, sale, 'ann', 'bob');
  const nowMs = await readRedisMs(t.redis);
  const waitedFor = (buyerId: string, seconds: number) =>
    t.redis.zadd(keysOf(sale.id).outbox, nowMs - seconds * 1_000, buyerId);
  await waitedFor('ann', 5);
  await waitedFor('bob', 16);
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([
    'I6 the claim of bob has waited for its order for more than 15 s',
  ]);
});

test('a Redis that was emptied gets a sale that sells now before others, whenever they were created', async () => {
  const day = 24 * 3_600_000;
  const ended = { opensAtMs: Date.now() - 2 * day, closesAtMs: Date.now() - day };
  const ids: string[] = [];
  for (const wanted of [
    { units: 5 },
    { units: 500 },
    { opensAtMs: Date.now() + day, closesAtMs: Date.now() + 2 * day },
    ended,
  ]) {
    ids.push((await openTestSale(t, wanted)).id);
  }
  await t.redis.flushall();
  await reconcileAll(t);
  const loaded = await t.db.repair.findMany({ where: { saleId: { in: ids }, kind: 'loaded' }, orderBy: { id: 'asc' } });
  expect(loaded.map(({ saleId }) => saleId)).toEqual(ids);
});
