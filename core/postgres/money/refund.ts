import { type Database, Prisma } from '../database.js';
import { endOrders, insertReleases, type ReleaseRow } from '../deliveries/releases.js';
import { type Payment, readPayments } from './payment.js';

/** An order to refund. With `restock` its unit returns to stock; without, the unit is nobody's until the sale ends. */
export interface Refund {
  orderId: string;
  restock: boolean;
}

/**
 * Gives the money of a paid order back, and frees its buyer: order, transfer and release in one statement. A wallet has its money
 * by then; for a provider the refund is owed from then on, and told to it.
 *
 * @param db the database
 * @param refund the order, and what becomes of its unit
 * @returns the release to carry out; none when the order isn't paid (any more)
 * @throws what Prisma throws: then do it again
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
 * @param db the database
 * @param limit how many, at most
 * @returns payments whose money is to go back through their provider, the longest due first
 */
export function readRefundsDue(db: Database, limit: number): Promise<Payment[]> {
  return readPayments(
    db,
    Prisma.sql`p.status = 'refund_due' AND p.refund_at <= clock_timestamp() ORDER BY p.refund_at LIMIT ${limit}`,
  );
}

/**
 * @param db the database
 * @param id a payment whose provider has given the money back
 */
export async function markRefunded(db: Database, id: bigint): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE payments SET status = 'refunded', refund_at = NULL, updated_at = clock_timestamp()
    WHERE id = ${id} AND status = 'refund_due'`);
}

/** A refund that doesn't go through is tried again after 1, 2, 4 ... s, and every 10 min in the end: it is owed. */
const REFUND_SECONDS_MAX = 600;

/**
 * @param db the database
 * @param id a payment whose refund could not be confirmed
 */
export async function refundAgainLater(db: Database, id: bigint): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE payments SET refund_tries = refund_tries + 1,
           refund_at = clock_timestamp() + least(2 ^ least(refund_tries, 20), ${REFUND_SECONDS_MAX}) * interval '1 second'
    WHERE id = ${id} AND status = 'refund_due'`);
}

/**
 * Puts money that its provider won't give back into the buyer's wallet, in one statement. It does so once for an order: should a second
 * payment of the same order be refused, too, it stays owed, and operators see it.
 *
 * @param db the database
 * @param payment the payment, `refund_due`
 * @returns whether it is in the wallet, by this call
 * @throws what Prisma throws: then do it again
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
