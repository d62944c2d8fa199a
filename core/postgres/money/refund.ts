import { type Database, Prisma } from '../database.js';
import { endOrders, insertReleases, type ReleaseRow } from '../deliveries/releases.js';
import { type Payment, readPayments } from './payment.js';

/**
 * An order to refund. With `restock`, its unit returns to stock. Without, the unit is withdrawn: no buyer can get it.
 */
export interface Refund {
  orderId: string;
  restock: boolean;
}

/**
 * Refunds a paid order and lets its buyer buy again: order, transfer and release are one statement. A wallet has the
 * money at once. A provider's refund becomes due, and the actor finish-payments asks for it.
 *
 * @returns the release to carry out in Redis; none when the order is not paid
 * @throws Prisma's error: retry
 */
export function refundRow(db: Database, { orderId, restock }: Refund): Promise<ReleaseRow[]> {
  return endOrders(
    db,
    Prisma.sql`
      WITH ended AS (
        UPDATE orders SET status = 'refunded', reason = 'refunded_by_shop', version = version + 1
        WHERE id = ${orderId}::uuid AND status = 'paid'
        RETURNING id, sale_id, buyer_id, unit, status, reason),
      returned AS (
        INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
        SELECT t.order_id, 'refund', t.credit_account_id, t.debit_account_id, t.amount_minor, t.currency
        FROM ended e JOIN transfers t ON t.order_id = e.id AND t.kind = 'capture'
        RETURNING credit_account_id, amount_minor),
      credited AS (
        UPDATE accounts a SET balance_minor = a.balance_minor + returned.amount_minor
        FROM returned WHERE a.id = returned.credit_account_id AND a.kind = 'buyer'),
      owed AS (
        UPDATE payments p SET status = 'refund_due', refund_at = clock_timestamp(), updated_at = clock_timestamp()
        FROM ended e WHERE p.paid_order_id = e.id AND p.status = 'paid'),
      withdrawn AS (
        INSERT INTO withdrawn_units (sale_id, unit, order_id)
        SELECT sale_id, unit, id FROM ended WHERE NOT ${restock} ON CONFLICT DO NOTHING)
      ${insertReleases({ freesUnits: restock })}`,
  );
}

/**
 * Reads the payments whose refund is due at a provider, the longest due first.
 *
 * @param limit the most rows
 */
export function readRefundsDue(db: Database, limit: number): Promise<Payment[]> {
  return readPayments(
    db,
    Prisma.sql`p.status = 'refund_due' AND p.refund_at <= clock_timestamp() ORDER BY p.refund_at LIMIT ${limit}`,
  );
}

/** Records that the provider has returned the money of a payment. */
export async function markRefunded(db: Database, id: bigint): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE payments SET status = 'refunded', refund_at = NULL, updated_at = clock_timestamp()
    WHERE id = ${id} AND status = 'refund_due'`);
}

/**
 * Longest pause between two attempts of a refund at a provider, in s. The pauses are 1, 2, 4 … s. A refund is never
 * given up, as the buyer is owed the money.
 */
const REFUND_SECONDS_MAX = 600;

/** Schedules the next attempt of a refund at a provider, with back-off. */
export async function refundAgainLater(db: Database, id: bigint): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE payments SET refund_tries = refund_tries + 1,
           refund_at = clock_timestamp() + least(2 ^ least(refund_tries, 20), ${REFUND_SECONDS_MAX}) * interval '1 second'
    WHERE id = ${id} AND status = 'refund_due'`);
}

/**
 * Puts money that the provider refuses to refund into the buyer's wallet, in one statement and once per order. A second
 * refused refund of the same order stays due, and operators see it.
 *
 * @param payment a payment in status `refund_due`
 * @returns whether this call moved the money
 * @throws Prisma's error: retry
 */
export async function refundToWallet(db: Database, { id, buyerId }: Payment): Promise<boolean> {
  const transfers = await db.$executeRaw(Prisma.sql`
    WITH due AS (
      UPDATE payments SET status = 'refunded', refund_at = NULL, updated_at = clock_timestamp()
      WHERE id = ${id} AND status = 'refund_due' AND NOT EXISTS (
        SELECT FROM transfers t WHERE t.order_id = payments.order_id AND t.kind = 'refund_to_wallet')
      RETURNING order_id, provider, coalesce((mismatch ->> 'amountMinor')::bigint, amount_minor) AS amount_minor,
                coalesce(mismatch ->> 'currency', currency) AS currency),
    outside AS (
      INSERT INTO accounts (kind, owner, currency) SELECT 'external', provider, currency FROM due
      ON CONFLICT (kind, owner, currency) DO UPDATE SET currency = EXCLUDED.currency RETURNING id),
    credited AS (
      INSERT INTO accounts AS a (kind, owner, currency, balance_minor)
      SELECT 'buyer', ${buyerId}, currency, amount_minor FROM due
      ON CONFLICT (kind, owner, currency) DO UPDATE SET balance_minor = a.balance_minor + EXCLUDED.balance_minor
      RETURNING id)
    INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
    SELECT due.order_id, 'refund_to_wallet', outside.id, credited.id, due.amount_minor, due.currency
    FROM due, outside, credited`);
  return transfers === 1;
}
