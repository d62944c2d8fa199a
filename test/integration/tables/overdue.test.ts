import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase, type Database } from '#core/postgres/database.js';
import { expireRows, type OverdueOrder, readOverdue } from '#core/postgres/orders/end-orders.js';
import { plansDuring, rowsReadBy, sendPlans } from '../../support/postgres/plans.js';
import { openTestSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const ORDERS = 5_000;
const PAGE = 100;

const t = useStores();
let db: Database;

beforeAll(async () => {
  await sendPlans(t.databaseUrl);
  db = connectDatabase(t.databaseUrl, { connections: 1 });
});

afterAll(() => db?.$disconnect());

async function fillOverdue(count: number): Promise<void> {
  const sale = await openTestSale(t, { units: count });
  await t.db.$executeRaw`INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
    SELECT gen_random_uuid(), ${sale.id}, 'buyer-' || i, i, 'pending_payment', 500, 'EUR', now() - interval '1 second'
    FROM generate_series(1, ${count}::int) i`;
  await t.db.$executeRaw`ANALYZE orders`;
}

async function readAll(limit: number): Promise<OverdueOrder[]> {
  const read: OverdueOrder[] = [];
  for (;;) {
    const page = await readOverdue(db, { limit, after: read.at(-1) });
    read.push(...page);
    if (page.length < limit) return read;
  }
}

test('a page of orders with one deadline reads its own orders and no other', async () => {
  await fillOverdue(ORDERS);
  const before = await readAll(ORDERS * 2);
  let read: OverdueOrder[] = [];
  const plans = await plansDuring(async () => {
    read = await readAll(PAGE);
  });
  expect(read).toEqual(before);
  expect(read.length).toBeGreaterThanOrEqual(ORDERS);
  expect(plans.length).toBeGreaterThan(ORDERS / PAGE);
  expect(Math.max(...plans.map(rowsReadBy))).toBeLessThanOrEqual(PAGE);
});

test('expiry reads an order twice: to lock it, and to change it', async () => {
  await fillOverdue(PAGE);
  const page = await readOverdue(db, { limit: PAGE });
  const plans = await plansDuring(async () => {
    expect((await expireRows(db, page)).every(({ freesUnit }) => freesUnit)).toBe(true);
  });
  expect(plans.map(rowsReadBy)).toEqual([2 * PAGE]);
});
