import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { overviewOf, overviewsOf } from '#core/operator/sale-overview.js';
import { connectDatabase, type Database } from '#core/postgres/database.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { insertSale } from '#core/postgres/sales.js';
import { keysOf } from '#core/redis/keys.js';
import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { createDraw } from '../../support/draws/lines.js';
import { plansDuring, sendPlans } from '../../support/postgres/plans.js';
import { readCommandCalls } from '../../support/redis/command-stats.js';
import { aClaim, aSale, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();
/** A database client whose statements are counted. */
let db: Database;

beforeAll(async () => {
  await sendPlans(t.databaseUrl);
  db = connectDatabase(t.databaseUrl, { connections: 1 });
  await db.sale.count();
});

afterAll(() => db?.$disconnect());

async function storeSales(count: number, units: number): Promise<Sale[]> {
  const sales = Array.from({ length: count }, () => aSale({ units }));
  for (const sale of sales) await insertSale(t.db, sale);
  return sales;
}

test('a sale that buyers join before the opening says so, and that its lots are drawn', async () => {
  const sale = await createDraw(t, { units: 1 });
  expect(await overviewOf(t, sale)).toMatchObject({ phase: 'joining', joinsAt: expect.any(String), inRedis: 'ready' });
  expect(await overviewOf(t, { ...sale, opensAtMs: Date.now() - 1 })).toMatchObject({ phase: 'drawing' });
});

test('a list has the figures of each sale', async () => {
  const bought = await openTestSale(t, { units: 3, standbyFactor: 1 });
  const claims = await win(t, bought, 'a', 'b', 'c', 'd');
  await placeOrders(t, { saleId: bought.id, claims: claims.slice(0, 2) });
  const [tombstoned, untouched] = [await openTestSale(t), ...(await storeSales(1, 5))];
  await insertTombstones(t.db, { saleId: tombstoned.id, claims: [aClaim()], reason: 'lost' });
  const [first, second, third] = await overviewsOf(t, [bought, tombstoned, untouched as Sale]);
  expect(first).toMatchObject({ id: bought.id, inRedis: 'ready', free: 0, unplaced: 1, waiting: 1 });
  expect(first?.orders).toMatchObject({ orders: 2, live: 2, paid: 0, void: 0, unitsPlaced: 2 });
  expect(second?.orders).toMatchObject({ orders: 1, live: 0, void: 1, unitsPlaced: 0 });
  expect(third).toMatchObject({ inRedis: 'not_loaded', free: null, orders: { orders: 0, unitsPlaced: 0 } });
  expect(await overviewOf(t, bought)).toEqual(first);
});

test('the statements of a list are one for 50 sales, and so are its questions about the run of Redis', async () => {
  const sales = await storeSales(120, 10);
  await t.redis.config('RESETSTAT');
  const plans = await plansDuring(() => overviewsOf({ ...t, db }, sales));
  expect(plans).toHaveLength(3);
  // A connection asks for the run of Redis from time to time, too.
  expect((await readCommandCalls(t.redis)).info).toBeLessThan(10);
});

test('the orders of sales with more than a million units are counted by one statement each', async () => {
  const few = await storeSales(2, 500_000);
  expect(await plansDuring(() => overviewsOf({ ...t, db }, few))).toHaveLength(1);
  const sales = await storeSales(3, 600_000);
  expect(await plansDuring(() => overviewsOf({ ...t, db }, sales))).toHaveLength(3);
});

test('a sale that Redis cannot read leaves the others as they are', async () => {
  const [sick, well] = [await openTestSale(t), await openTestSale(t)];
  await t.redis.set(keysOf(sick.id).stock, 'not a list');
  expect(await overviewsOf(t, [sick, well])).toMatchObject([
    { inRedis: 'away' },
    { inRedis: 'ready', free: well.units },
  ]);
});
