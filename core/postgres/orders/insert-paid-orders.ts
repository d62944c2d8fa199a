import type { Claim } from '../../rules/claim.js';
import type { Order } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';
import { insertReleases } from '../deliveries/releases.js';
import { claimRows } from './claim-rows.js';
import { type InsertedRow, inserted, insertedOf } from './inserted.js';

/**
 * Inserts orders and debits their buyers' wallets in one statement: one round trip, and one lock of each row. An order
 * without funds is rejected and its unit released in the same statement, without effect on the other orders. Wallets
 * are locked in the order of their owners, which prevents deadlocks. A balance that changes before its wallet is locked
 * is read again under the lock. LATERAL keeps Postgres to one index look-up per buyer; a plain join read every wallet
 * (EXPLAIN).
 *
 * @param claims at most 1,000
 * @returns the new orders, `paid` or `rejected`; the statement itself returns one row, as in insert-orders.ts
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export async function insertPaidOrders(db: Database, saleId: string, claims: Claim[]): Promise<Order[]> {
  const [row] = await db.$queryRaw<(InsertedRow & { rejected: string | null })[]>(Prisma.sql`
    WITH wanted AS (
      SELECT c.id, s.id AS sale_id, c.buyer_id, c.buyer_group, c.unit, s.price_minor, s.currency, s.pay_within_seconds
      FROM ${claimRows(claims)}
      JOIN sales s ON s.id = ${saleId} AND c.unit <= s.units
      WHERE NOT EXISTS (SELECT FROM withdrawn_units w WHERE w.sale_id = s.id AND w.unit = c.unit)),
    shop AS MATERIALIZED (
      SELECT a.id FROM accounts a JOIN sales s ON s.currency = a.currency
      WHERE s.id = ${saleId} AND a.kind = 'shop' AND a.owner = 'shop'),
    funded AS (
      SELECT a.owner FROM (SELECT * FROM wanted ORDER BY buyer_id) w, LATERAL (
        SELECT owner FROM accounts
        WHERE kind = 'buyer' AND owner = w.buyer_id AND currency = w.currency AND balance_minor >= w.price_minor
        FOR UPDATE) a),
    placed AS (
      INSERT INTO orders AS o
        (id, sale_id, buyer_id, buyer_group, unit, status, reason, amount_minor, currency, pay_by, paid_at, cancelled_at)
      SELECT w.id, w.sale_id, w.buyer_id, w.buyer_group, w.unit,
             CASE WHEN f.owner IS NULL THEN 'rejected' ELSE 'paid' END,
             CASE WHEN f.owner IS NULL THEN 'insufficient_funds' END,
             w.price_minor, w.currency, clock_timestamp() + w.pay_within_seconds * interval '1 second',
             CASE WHEN f.owner IS NOT NULL THEN clock_timestamp() END,
             CASE WHEN f.owner IS NULL THEN clock_timestamp() END
      FROM wanted w LEFT JOIN funded f ON f.owner = w.buyer_id
      ORDER BY w.id
      ON CONFLICT DO NOTHING
      RETURNING o.*),
    debited AS (
      UPDATE accounts a SET balance_minor = a.balance_minor - p.amount_minor
      FROM placed p, LATERAL (
        SELECT id FROM accounts WHERE kind = 'buyer' AND owner = p.buyer_id AND currency = p.currency OFFSET 0) own
      WHERE p.status = 'paid' AND a.id = own.id
      RETURNING p.id AS order_id, a.id AS account_id, p.amount_minor, p.currency),
    captured AS (
      INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
      SELECT d.order_id, 'capture', d.account_id, shop.id, d.amount_minor, d.currency FROM debited d, shop),
    ended AS (SELECT * FROM placed WHERE status = 'rejected'),
    released AS (${insertReleases('unless taken')})
    SELECT ${inserted(claims)}, string_agg(id::text, ' ') FILTER (WHERE status = 'rejected') AS rejected FROM placed`);
  const rejected = new Set(row?.rejected?.split(' '));
  return insertedOf(claims, row).map(order =>
    rejected.has(order.claimId)
      ? { ...order, status: 'rejected', reason: 'insufficient_funds' }
      : { ...order, status: 'paid', reason: null },
  );
}
