import type { Database } from '#core/postgres/database.js';

/**
 * Checks the rules of money over all accounts in plain SQL, independent of the audit.
 *
 * @returns the violations by rule; each count is 0 when the rule holds
 */
export async function provedMoney(db: Database): Promise<Record<string, number>> {
  const [row] = await db.$queryRaw<Record<string, bigint>[]>`
    WITH flows AS (
      SELECT credit_account_id AS id, amount_minor AS amount FROM transfers
      UNION ALL SELECT debit_account_id, -amount_minor FROM transfers),
    sums AS (SELECT a.id, a.kind, a.balance_minor, coalesce(sum(f.amount), 0) AS balance
             FROM accounts a LEFT JOIN flows f ON f.id = a.id GROUP BY a.id),
    per_order AS (
      SELECT o.id, o.status, o.amount_minor, o.refunded_minor, count(*) FILTER (WHERE t.kind = 'capture') AS captures,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'capture'), 0) AS captured,
             coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund'), 0) AS refunded
      FROM orders o LEFT JOIN transfers t ON t.order_id = o.id GROUP BY o.id)
    SELECT
      (SELECT abs(sum(balance))::bigint FROM sums) AS "sum of all accounts",
      (SELECT count(*) FROM sums WHERE kind = 'buyer' AND balance_minor <> balance) AS "balances that are not their transfers",
      (SELECT count(*) FROM accounts WHERE balance_minor < 0) AS "balances below 0",
      (SELECT count(*) FROM per_order WHERE status = 'paid' AND (captures <> 1 OR captured <> amount_minor)) AS "paid without one capture",
      (SELECT count(*) FROM per_order WHERE status = 'paid' AND refunded <> refunded_minor) AS "parts that the order does not say",
      (SELECT count(*) FROM per_order WHERE refunded > captured) AS "more given back than taken",
      (SELECT count(*) FROM payments p JOIN orders o ON o.id = p.paid_order_id WHERE o.status = 'paid' AND p.status <> 'paid') AS "paid orders whose payment goes back",
      (SELECT count(*) FROM per_order WHERE status <> 'paid' AND captured <> refunded) AS "money kept of an order that is not paid",
      (SELECT count(*) FROM (SELECT 1 FROM orders WHERE status IN ('pending_payment', 'paid') GROUP BY sale_id, unit HAVING count(*) > 1) d) AS "units sold twice",
      (SELECT count(*) FROM (SELECT 1 FROM orders WHERE status IN ('pending_payment', 'paid') GROUP BY sale_id, buyer_id HAVING count(*) > 1) d) AS "buyers with two"`;
  return Object.fromEntries(Object.entries(row ?? {}).map(([rule, count]) => [rule, Number(count)]));
}
