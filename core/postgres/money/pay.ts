import type { OrderToPay } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';
import { clickedInTime } from '../orders/deadline.js';

/**
 * The outcome of paying an order from a wallet. `insufficient_funds` leaves the order payable. `not_payable`: the order
 * is paid, has ended or is overdue.
 */
export type PaymentOutcome = 'paid' | 'insufficient_funds' | 'not_payable';

/**
 * Pays an order from its buyer's wallet. Order, debit and transfer are one statement, so exactly one of pay, cancel and
 * expire wins. Either the buyer's click or Postgres's clock must be before the deadline. Both are compared once, so a
 * statement that is slow afterwards still pays.
 *
 * @param order of a sale with the provider `wallet`
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export async function payFromWallet(
  db: Database,
  { orderId, buyerId, clickedAtMs }: OrderToPay,
): Promise<PaymentOutcome> {
  const [payment] = await db.$queryRaw<{ due: bigint; paid: bigint }[]>(Prisma.sql`
    WITH due AS (
      SELECT o.id, o.buyer_id, o.amount_minor, o.currency
      FROM orders o JOIN sales s ON s.id = o.sale_id AND s.provider = 'wallet'
      WHERE o.id = ${orderId}::uuid AND o.buyer_id = ${buyerId} AND o.status = 'pending_payment'
        AND (o.pay_by > clock_timestamp() OR ${clickedInTime(clickedAtMs)})
      FOR UPDATE OF o),
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
      UPDATE orders o SET status = 'paid', paid_at = least(clock_timestamp(), o.pay_by), version = version + 1
      FROM captured WHERE o.id = captured.order_id
      RETURNING o.id)
    SELECT (SELECT count(*) FROM due) AS due, (SELECT count(*) FROM paid) AS paid`);
  if (payment?.paid === 1n) return 'paid';
  return payment?.due === 1n ? 'insufficient_funds' : 'not_payable';
}
