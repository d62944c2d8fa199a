import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { Pace } from '#core/maintenance/pace.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcile, reconcileAll } from '#core/maintenance/reconcile.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { insertOrders } from '#core/postgres/orders/insert-orders.js';
import { updateSale } from '#core/postgres/sales.js';
import { keysOf, registryKeyOf } from '#core/redis/keys.js';
import { isRegistryWhole, isUnknown, markRegistryWhole, readLoadedSaleIds } from '#core/redis/registry.js';
import { readLoadedSale, readRunId, restock, setSale } from '#core/redis/sale/sale.js';
import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { forceClaim, loseClaim } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { type TestStores, useStores } from '../../support/stores/stores.js';

const t = useStores();

const repairsOf = async (saleId: string) => (await t.db.repair.findMany({ where: { saleId } })).map(row => row.kind);
const violations = async (saleId: string) => (await audit(t.db, t.redis, saleId))?.violations;

/** Opens a sale with one placed order, of buyer `a` and unit 1. */
async function saleWithOrder(wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(t, wanted);
  const placed = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [placed] });
  return { sale, placed };
}

/** Damages of a sale, each with the kind of its difference and of its repair. */
const DAMAGES: [
  string,
  string,
  (t: TestStores, made: Awaited<ReturnType<typeof saleWithOrder>>) => Promise<unknown>,
][] = [
  ['claim_missing', 'restored_claim', (t, { sale, placed }) => loseClaim(t, sale.id, placed)],
  ['release_missing', 'released_claim', (t, { sale, placed }) => cancelRow(t.db, sale.id, placed)],
  ['status_behind', 'recorded_status', (t, { sale, placed }) => forceClaim(t, sale.id, placed, { outbox: false })],
  ['outbox_missing', 'placed_claim', (t, { sale }) => forceClaim(t, sale.id, aClaim({ unit: 2 }), { outbox: false })],
  ['units_wrong', 'rebuilt', (t, { sale }) => t.redis.lpop(keysOf(sale.id).stock)],
  ['units_wrong', 'rebuilt', (t, { sale }) => t.redis.rpush(keysOf(sale.id).stock, 3)],
  ['units_wrong', 'rebuilt', (t, { sale }) => t.redis.rpush(keysOf(sale.id).stock, 99)],
  ['units_wrong', 'rebuilt', (t, { sale, placed }) => t.redis.rpush(keysOf(sale.id).stock, placed.unit)],
];

describe('each difference', () => {
  test.each(DAMAGES)('the difference %s is repaired by %s, with one row in repairs', async (kind, repair, damage) => {
    const made = await saleWithOrder();
    await damage(t, made);
    const result = await reconcile(t, made.sale.id);
    expect(result?.differences.map(difference => difference.kind)).toEqual([kind]);
    expect(result?.repairs.map(done => done.kind)).toEqual([repair]);
    expect(await repairsOf(made.sale.id)).toEqual([repair]);
    expect(await violations(made.sale.id)).toEqual([]);
    expect((await reconcile(t, made.sale.id))?.differences).toEqual([]);
    expect(await repairsOf(made.sale.id)).toEqual([repair]);
  });

  test.each(DAMAGES)('a dry run reports the difference %s and changes nothing', async (kind, _repair, damage) => {
    const made = await saleWithOrder();
    await damage(t, made);
    const orders = await t.db.order.findMany({ where: { saleId: made.sale.id } });
    const result = await writesNothing(t.redis, () => reconcile(t, made.sale.id, { dryRun: true }));
    expect(result?.differences.map(difference => difference.kind)).toEqual([kind]);
    expect(result?.repairs).toEqual([]);
    expect(await repairsOf(made.sale.id)).toEqual([]);
    expect(await t.db.order.findMany({ where: { saleId: made.sale.id } })).toEqual(orders);
  });

  test.each(DAMAGES)('two runs at once repair the difference %s by %s', async (_kind, _repair, damage) => {
    const made = await saleWithOrder();
    await damage(t, made);
    await Promise.all([reconcile(t, made.sale.id), reconcile(t, made.sale.id)]);
    await reconcile(t, made.sale.id);
    expect(await violations(made.sale.id)).toEqual([]);
  });
});

describe('contradictions', () => {
  test('of two claims of one buyer the claim with the order stays, and the other is lost', async () => {
    const { sale, placed } = await saleWithOrder();
    await loseClaim(t, sale.id, placed);
    const other = await winOne(t, sale, 'a');
    for (let i = 0; i < 3; i += 1) {
      await reconcile(t, sale.id);
      await placeOrders(t, { saleId: sale.id, claims: [other] });
    }
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.claimId).toBe(placed.claimId);
    expect(await violations(sale.id)).toEqual([]);
  });

  test('of two claims of one unit the claim with the order stays, and the other is rejected as lost', async () => {
    const { sale, placed } = await saleWithOrder();
    await loseClaim(t, sale.id, placed);
    const other = await winOne(t, sale, 'b');
    expect(other.unit).toBe(placed.unit);
    await placeOrders(t, { saleId: sale.id, claims: [other] });
    for (let i = 0; i < 2; i += 1) await reconcile(t, sale.id);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('a')).toMatchObject({ claimId: placed.claimId, status: 'pending_payment' });
    expect(snapshot?.claims.get('b')).toMatchObject({ status: 'rejected', reason: 'lost' });
    expect(await violations(sale.id)).toEqual([]);
  });
});

describe('the list of sales', () => {
  test('the list of sales is whole once all sales are loaded, and not after FLUSHALL', async () => {
    const { sale } = await saleWithOrder();
    await reconcileAll(t);
    expect(await isRegistryWhole(t.redis)).toBe(true);
    await t.redis.flushall();
    expect(await isRegistryWhole(t.redis)).toBe(false);
    await reconcileAll(t);
    expect(await isRegistryWhole(t.redis)).toBe(true);
    expect(await violations(sale.id)).toEqual([]);
  });

  test('the list of sales is not whole when Redis lost a sale during the comparison', async () => {
    const { sale } = await saleWithOrder();
    await reconcileAll(t);
    await t.redis.flushall();
    expect(await markRegistryWhole(t.redis, await readRunId(t.redis), [sale.id])).toBe(false);
    expect(await isUnknown(t.redis, sale.id)).toBe(false);
    await reconcileAll(t);
    expect(await isRegistryWhole(t.redis)).toBe(true);
  });

  test('the list of sales is not whole when Redis restarted during the round', async () => {
    const { sale } = await saleWithOrder();
    await openTestSale(t);
    const pace = new Pace();
    await reconcileAll(t, pace);
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    let restarts = 0;
    const heldUp = beforeScript(t, 'set-sale', async () => {
      restarts += 1;
      if (restarts === 1) await t.restartRedis();
    });
    // The newer sale was found open before the restart, and is not due to be compared.
    await reconcileAll(heldUp, pace);
    expect(await isRegistryWhole(t.redis)).toBe(false);
    await reconcileAll(t, pace);
    expect(await isRegistryWhole(t.redis)).toBe(true);
  });

  test('the list of sales gets a missing sale back', async () => {
    const { sale } = await saleWithOrder();
    await t.redis.hdel(registryKeyOf(sale.id), sale.id);
    await reconcileAll(t);
    expect(await readLoadedSaleIds(t.redis)).toContain(sale.id);
    expect(await violations(sale.id)).toEqual([]);
  });
});

describe('work in flight', () => {
  test('claims in the outbox are left alone', async () => {
    const { sale } = await saleWithOrder({ units: 10 });
    await win(t, sale, ...buyers(5));
    // The first comparison takes the mark of the change.
    await reconcile(t, sale.id);
    expect(await writesNothing(t.redis, () => reconcile(t, sale.id))).toMatchObject({
      differences: [],
      repairs: [],
    });
  });

  test('reconciling a busy sale does no harm', async () => {
    const sale = await openTestSale(t, { units: 300, standbyFactor: 1 });
    const busy = Array.from({ length: 30 }, async (_, i) => {
      const claims = await win(t, sale, ...buyers(12, `busy${i}-`));
      if (claims.length > 0) await placeOrders(t, { saleId: sale.id, claims });
      for (const claim of claims.slice(0, 2)) await cancelRow(t.db, sale.id, claim);
    });
    const reconciling = Array.from({ length: 10 }, () => reconcile(t, sale.id));
    await Promise.all([...busy, ...reconciling]);
    for (let i = 0; i < 3; i += 1) await reconcile(t, sale.id);
    expect(await violations(sale.id)).toEqual([]);
  });

  test('free units go to the buyers on standby', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 3 });
    await win(t, sale, 'a', 'b', 'c');
    await updateSale(t.db, sale.id, { addUnits: 1 });
    expect((await reconcile(t, sale.id))?.repairs).toMatchObject([{ kind: 'updated' }]);
    expect((await reconcile(t, sale.id))?.repairs).toMatchObject([{ kind: 'promoted', detail: { unit: 2 } }]);
    expect((await readSnapshot(t.redis, sale.id))?.claims.get('b')).toMatchObject({ unit: 2, status: 'queued' });
    expect((await reconcile(t, sale.id))?.repairs).toEqual([]);
  });

  test('600 free units go to buyers on standby in one comparison', async () => {
    const sale = await openTestSale(t, { units: 600, standbyFactor: 1 });
    for (let i = 0; i < 12; i += 1) await win(t, sale, ...buyers(100, `one${i}-`));
    await restock(t.redis, { ...sale, units: 1_200 });
    expect((await reconcile(t, sale.id))?.repairs).toHaveLength(600);
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ remaining: 0, waiting: 0, claims: 1_200 });
  });

  test('an operator’s change in Postgres reaches Redis', async () => {
    const sale = await openTestSale(t, { units: 3 });
    await updateSale(t.db, sale.id, { addUnits: 4 });
    await updateSale(t.db, sale.id, { state: 'paused' });
    await reconcile(t, sale.id);
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({
      units: 7,
      remaining: 7,
      state: 'paused',
      generation: 3,
    });
    expect(await repairsOf(sale.id)).toEqual(['updated']);
  });
});

describe('a Redis that comes back', () => {
  test('a Redis that comes back sells no unit of a closed sale, and gets the earlier restock', async () => {
    const { sale } = await saleWithOrder();
    const pace = new Pace();
    await reconcileAll(t, pace);
    await updateSale(t.db, sale.id, { addUnits: 4 });
    await updateSale(t.db, sale.id, { state: 'closed' });
    await setSale(t.redis, sale.id, { runId: 'another-run' });
    const heldUp = beforeScript(t, 'restock', async () => expect(await win(t, sale, 'late')).toEqual([]));
    await reconcileAll(heldUp, pace);
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ state: 'closed', units: 7, generation: 3 });
  });
});

describe('a Postgres that comes back from an older copy', () => {
  /** Makes Postgres forget a pause that Redis knows. */
  async function forgottenPause() {
    const { sale } = await saleWithOrder();
    await updateSale(t.db, sale.id, { state: 'paused' });
    await reconcile(t, sale.id);
    await t.db.sale.update({ where: { id: sale.id }, data: { state: 'open', generation: sale.generation } });
    return sale;
  }
  const reopened = { state: 'open', runId: expect.stringMatching(/^[0-9a-f]{40}$/) };

  test('an older copy of Postgres decides the state of the sale', async () => {
    const sale = await forgottenPause();
    await reconcile(t, sale.id);
    expect(await readLoadedSale(t.redis, sale.id)).toMatchObject(reopened);
  });

  test('an older copy of Postgres keeps no sale shut after a restart of Redis or a rebuild', async () => {
    const [restarted, rebuilt] = [await forgottenPause(), await forgottenPause()];
    await setSale(t.redis, restarted.id, { runId: 'another-run' });
    await reconcile(t, restarted.id);
    expect(await readLoadedSale(t.redis, restarted.id)).toMatchObject(reopened);
    expect(await rebuild(t, rebuilt.id)).toBe(1);
    expect(await readLoadedSale(t.redis, rebuilt.id)).toMatchObject(reopened);
  });
});

describe('all sales', () => {
  test('a missing sale is loaded, and an unknown id is known to have no sale', async () => {
    const sale = await openTestSale(t);
    await insertOrders(t.db, sale.id, [aClaim({ buyerId: 'a' })]);
    await t.redis.unlink(...Object.values(keysOf(sale.id)));
    await reconcileAll(t);
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([2, 3]);
    expect(await isUnknown(t.redis, 'nowhere')).toBe(true);
    expect(await isUnknown(t.redis, sale.id)).toBe(false);
  });

  test('a sale that can not be reconciled does not keep other sales shut', async () => {
    const sales = [await openTestSale(t), await openTestSale(t), await openTestSale(t)];
    const broken = keysOf(sales[1]?.id ?? '').outbox;
    await t.redis.set(broken, 'of another type');
    for (const sale of sales) await setSale(t.redis, sale.id, { runId: 'another-run' });
    await expect(reconcileAll(t)).rejects.toThrow('WRONGTYPE');
    const runId = await readRunId(t.redis);
    expect((await readLoadedSale(t.redis, sales[0]?.id ?? ''))?.runId).toBe(runId);
    expect((await readLoadedSale(t.redis, sales[2]?.id ?? ''))?.runId).toBe(runId);
    await t.redis.del(broken);
    await reconcileAll(t);
    expect((await readLoadedSale(t.redis, sales[1]?.id ?? ''))?.runId).toBe(runId);
  });
});

test('a deadline that an operator moved reaches Redis, so a click to pay counts until then', async () => {
  const sale = await openTestSale(t, { units: 1, payWithinSeconds: 1 });
  const won = await winOne(t, sale, 'extended');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await t.db.$executeRaw`UPDATE orders SET version = version + 1, pay_by = clock_timestamp() + interval '10 minutes'
    WHERE id = ${won.claimId}::uuid`;
  await reconcileAll(t);
  const { payBy } = await t.db.order.findUniqueOrThrow({ where: { id: won.claimId } });
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('extended')?.payByMs).toBe(payBy.getTime());
});
