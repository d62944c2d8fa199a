import { type Database, Prisma } from './database.js';

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

/** A rule about orders or money that rows in Postgres break, and the number of those rows. */
export interface BrokenRule {
  rule: string;
  rows: number;
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

/**
 * Checks the rules about orders and money that hold in Postgres at every commit. The rows themselves are read, and the
 * indexes that enforce the rules are not trusted.
 *
 * @param saleId limits the rules about orders; balances and transfers are checked for all sales, since a wallet pays in
 * all of them
 */
export async function brokenRules(db: Database, saleId: string): Promise<BrokenRule[]> {
  const rows = await db.$queryRaw<{ rule: string; rows: bigint }[]>(Prisma.sql`
    WITH o AS (SELECT * FROM orders WHERE sale_id = ${saleId}),
    live AS (SELECT * FROM o WHERE status IN ('pending_payment', 'paid')),
    money AS (
      SELECT o.id, o.status, o.amount_minor,
             count(t.id) FILTER (WHERE t.kind = 'capture') AS captures,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'capture'), 0) AS captured,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund'), 0) AS refunded
      FROM o LEFT JOIN transfers t ON t.order_id = o.id GROUP BY o.id, o.status, o.amount_minor),
    flows AS (
      SELECT account_id, sum(amount) AS balance FROM (
        SELECT credit_account_id AS account_id, amount_minor AS amount FROM transfers
        UNION ALL SELECT debit_account_id, -amount_minor FROM transfers) f GROUP BY account_id)
    SELECT * FROM (
      SELECT 'I2 a unit has more than one live order' AS rule, count(*) AS rows
        FROM (SELECT unit FROM live GROUP BY unit HAVING count(*) > 1) d
      UNION ALL SELECT 'I2 a live order has a unit outside 1..N', count(*)
        FROM live WHERE unit < 1 OR unit > (SELECT units FROM sales WHERE id = ${saleId})
      UNION ALL SELECT 'I3 a buyer has more than one live order', count(*)
        FROM (SELECT buyer_id FROM live GROUP BY buyer_id HAVING count(*) > 1) d
      UNION ALL SELECT 'I5 a paid order has not exactly one capture of its price', count(*)
        FROM money WHERE status = 'paid' AND (captures <> 1 OR captured <> amount_minor OR refunded <> 0)
      UNION ALL SELECT 'I5 an order that is not paid keeps money', count(*)
        FROM money WHERE status <> 'paid' AND captured <> refunded
      UNION ALL SELECT 'I5 a balance is not the sum of its transfers', count(*)
        FROM accounts a LEFT JOIN flows f ON f.account_id = a.id
        WHERE a.kind = 'buyer' AND a.balance_minor <> coalesce(f.balance, 0)
      UNION ALL SELECT 'I5 a balance is negative', count(*) FROM accounts WHERE balance_minor < 0
      UNION ALL SELECT 'I5 a transfer is between accounts of other currencies', count(*)
        FROM transfers t JOIN accounts a ON a.id IN (t.debit_account_id, t.credit_account_id) WHERE a.currency <> t.currency
      UNION ALL SELECT 'I5 a capture comes from another buyer than the order', count(*)
        FROM transfers t JOIN o ON o.id = t.order_id JOIN accounts a ON a.id = t.debit_account_id
        WHERE t.kind = 'capture' AND a.kind = 'buyer' AND a.owner <> o.buyer_id
      UNION ALL SELECT 'I5 a payment is taken, and no order was paid with it', count(*)
        FROM payments p JOIN o ON o.id = p.paid_order_id LEFT JOIN money m ON m.id = o.id
        WHERE m.captures <> 1 OR m.captured <> p.amount_minor
      UNION ALL SELECT 'I5 late money is 60 s undecided', count(*)
        FROM payments p JOIN o ON o.id = p.order_id
        WHERE p.status = 'late' AND p.updated_at < clock_timestamp() - interval '60 seconds'
      UNION ALL SELECT 'I6 an order is 15 s past its deadline', count(*)
        FROM live WHERE status = 'pending_payment' AND pay_by < clock_timestamp() - interval '15 seconds'
      UNION ALL SELECT 'I6 a release is 15 s old', count(*)
        FROM outbox_events WHERE sale_id = ${saleId} AND kind = 'release' AND delivered_at IS NULL AND created_at < clock_timestamp() - interval '15 seconds'
    ) rules WHERE rows > 0`);
  return rows.map(({ rule, rows: count }) => ({ rule, rows: Number(count) }));
}
