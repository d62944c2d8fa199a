import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectDatabase, type Database } from '#core/postgres/database.js';
import { type OverdueOrder, readOverdue } from '#core/postgres/orders/end-orders.js';
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

test('a page of orders with one deadline reads its own orders and no other', async () => {
  const sale = await openTestSale(t, { units: ORDERS });
  await t.db.$executeRaw`INSERT INTO orders (id, sale_id, buyer_id, unit, status, amount_minor, currency, pay_by)
    SELECT gen_random_uuid(), ${sale.id}, 'buyer-' || i, i, 'pending_payment', 500, 'EUR', now() - interval '1 second'
    FROM generate_series(1, ${ORDERS}::int) i`;
  await t.db.$executeRaw`ANALYZE orders`;
  const read: OverdueOrder[] = [];
  const plans = await plansDuring(async () => {
    for (;;) {
      const page = await readOverdue(db, { limit: PAGE, after: read.at(-1) });
      read.push(...page);
      if (page.length < PAGE) return;
    }
  });
  expect(new Set(read.map(({ claimId }) => claimId)).size).toBe(ORDERS);
  expect(read.length).toBe(ORDERS);
  expect(plans.length).toBeGreaterThan(ORDERS / PAGE);
  expect(Math.max(...plans.map(rowsReadBy))).toBeLessThanOrEqual(PAGE);
});
