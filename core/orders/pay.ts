import type { Order } from '../order.js';
import { type Database, Prisma } from './database.js';
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.js';

/** `insufficient_funds` leaves the order payable until its deadline. `not_payable`: paid before, ended, or overdue. */
export type PaymentOutcome = 'paid' | 'insufficient_funds' | 'not_payable';

/**
 * Pays an order from its buyer's wallet: order, debit and transfer in one statement, so that exactly one of pay, cancel and
 * expire wins, and nobody pays without goods. The deadline is checked by Postgres's clock.
 *
 * @param db the database
 * @param claimId the order
 * @param buyerId its buyer
 * @returns what happened, and where the order stands; no order when there is none of this buyer's
 * @throws what Prisma throws: then what happened is unknown, and paying again is the way to learn it
 */
export async function payOrder(
  db: Database,
  claimId: string,
  buyerId: string,
): Promise<{ outcome: PaymentOutcome; order: Order | undefined }> {
  const [payment] = await db.$queryRaw<{ due: bigint; paid: bigint }[]>(Prisma.sql`
    WITH due AS (
      SELECT id, buyer_id, amount_minor, currency FROM orders
      WHERE id = ${claimId}::uuid AND buyer_id = ${buyerId} AND status = 'pending_payment' AND pay_by > clock_timestamp()
      FOR UPDATE),
    debited AS (
      UPDATE accounts a SET balance_minor = a.balance_minor - due.amount_minor
      FROM due
      WHERE a.kind = 'buyer' AND a.owner = due.buyer_id AND a.currency = due.currency AND a.balance_minor >= due.amount_minor
      RETURNING due.id AS order_id, a.id AS account_id, due.amount_minor, due.currency),
    captured AS (
      INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
      SELECT d.order_id, 'capture', d.account_id, shop.id, d.amount_minor, d.currency
      FROM debited d JOIN accounts shop ON shop.kind = 'shop' AND shop.owner = 'shop' AND shop.currency = d.currency
      RETURNING order_id),
    paid AS (
      UPDATE orders o SET status = 'paid', paid_at = clock_timestamp(), version = version + 1
      FROM captured WHERE o.id = captured.order_id
      RETURNING o.id)
    SELECT (SELECT count(*) FROM due) AS due, (SELECT count(*) FROM paid) AS paid`);
  const [row] = await db.$queryRaw<OrderRow[]>(
    Prisma.sql`SELECT ${ORDER_COLUMNS} FROM orders o WHERE o.id = ${claimId}::uuid AND o.buyer_id = ${buyerId}`,
  );
  const unpaid = payment?.due === 1n ? 'insufficient_funds' : 'not_payable';
  return { outcome: payment?.paid === 1n ? 'paid' : unpaid, order: row && orderOf(row) };
}
