import { brokenBooks } from './books/check.js';
import { type Database, Prisma, type Transaction } from './database.js';
import { type BrokenRule, MONEY_RULES, MONEY_SUMS, type Rules } from './money-rules.js';
import { NOW } from './now.js';
import { isOverdue } from './orders/deadline.js';

/** The counts of a sale's orders, taken from Postgres alone. Plain SQL reproduces each of them. */
export interface OrderCounts {
  orders: number;
  live: number;
  paid: number;
  cancelled: number;
  rejected: number;
  refunded: number;
  void: number;
  /** The number of different units that ever had an order; tombstones (status `void`) do not count. */
  unitsPlaced: number;
}

/** Counts the orders of a sale by status. */
export async function countOrders(db: Database, saleId: string): Promise<OrderCounts> {
  const [row] = await db.$queryRaw<Record<keyof OrderCounts, bigint>[]>(Prisma.sql`
    SELECT count(*) AS orders,
           count(*) FILTER (WHERE status IN ('pending_payment', 'paid')) AS live,
           count(*) FILTER (WHERE status = 'paid') AS paid,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE status = 'rejected') AS rejected,
           count(*) FILTER (WHERE status = 'refunded') AS refunded,
           count(*) FILTER (WHERE status = 'void') AS void,
           count(DISTINCT unit) FILTER (WHERE status NOT IN ('void')) AS "unitsPlaced"
    FROM orders WHERE sale_id = ${saleId}`);
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, count]) => [name, Number(count)]),
  ) as unknown as OrderCounts;
}

/** The rules about orders, each with the query that counts the rows that break it. */
export const ORDER_RULES: Rules = {
  'I2 a unit has more than one live order': Prisma.sql`
    SELECT count(*) FROM (SELECT unit FROM live GROUP BY unit HAVING count(*) > 1) d`,
  'I2 a live order has a unit outside 1..N': Prisma.sql`
    SELECT count(*) FROM live JOIN sales s ON s.id = live.sale_id WHERE unit < 1 OR unit > s.units`,
  'I3 a buyer has more than one live order': Prisma.sql`
    SELECT count(*) FROM (SELECT buyer_id FROM live GROUP BY buyer_id HAVING count(*) > 1) d`,
  'I6 an order is 15 s past its deadline': Prisma.sql`
    SELECT count(*) FROM live o WHERE ${isOverdue(15)}`,
  'I6 a release is 15 s old': Prisma.sql`
    SELECT count(*) FROM outbox_events WHERE sale_id = (SELECT id FROM audited) AND kind = 'release' AND delivered_at IS NULL
      AND created_at < ${NOW} - interval '15 seconds'`,
};

/**
 * Checks the rules about orders and money that hold in Postgres at every commit. The rows themselves are read, and the
 * indexes that enforce the rules are not trusted.
 *
 * @param db the database, or a transaction whose changes count
 * @param saleId limits the rules about orders; balances and transfers are checked for all sales, since a wallet pays in
 * all of them, as core/postgres/books/check.ts says
 */
export async function brokenRules(db: Transaction, saleId: string): Promise<BrokenRule[]> {
  const counts = Object.entries({ ...ORDER_RULES, ...MONEY_RULES }).map(
    ([rule, query]) => Prisma.sql`SELECT ${rule} AS rule, (${query}) AS rows`,
  );
  const rows = await db.$queryRaw<{ rule: string; rows: bigint }[]>(Prisma.sql`
    WITH audited AS (SELECT id FROM sales WHERE id = ${saleId}),
    o AS (SELECT * FROM orders WHERE sale_id = ${saleId}),
    live AS (SELECT * FROM o WHERE status IN ('pending_payment', 'paid')),
    ${MONEY_SUMS}
    SELECT * FROM (${Prisma.join(counts, ' UNION ALL ')}) rules WHERE rows > 0`);
  return [...rows.map(({ rule, rows: count }) => ({ rule, rows: Number(count) })), ...(await brokenBooks(db, saleId))];
}
