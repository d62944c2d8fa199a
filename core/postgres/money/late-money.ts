import type { Claim } from '../../rules/claim.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { insertUnpaidOrders } from '../orders/insert-orders.js';
import { captureFromOutside, refundToOutside } from './capture.js';
import { type Payment, readPayments } from './payment.js';

/**
 * Reads late money that nobody has decided about: payments that arrived after their orders had ended.
 *
 * @param limit the most rows
 * @param afterId the last payment id of the previous page
 */
export function readLateMoney(db: Database, limit: number, afterId: bigint): Promise<Payment[]> {
  return readPayments(db, Prisma.sql`p.status = 'late' AND p.id > ${afterId} ORDER BY p.id LIMIT ${limit}`);
}

/**
 * Pays a new order with late money, which is a payment that arrived after its order had ended. Before this call, Redis
 * has taken a unit again for the buyer. New order, transfer and payment status are one transaction.
 *
 * @param payment a payment in status `late`
 * @param claim the claim that took the unit again; its id is the payment's `regrabClaimId`
 * @returns false when another process has decided, or the new order cannot be paid: then the payment stays `late`
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export function payWithLateMoney(db: Database, payment: Payment, claim: Claim): Promise<boolean> {
  return db.$transaction(async tx => {
    if (!(await lockLate(tx, payment))) return false;
    await insertUnpaidOrders(tx, payment.saleId, [claim]);
    // The task that rescues waiting claims may have placed this order already, and its buyer may have cancelled it. So
    // this update checks status, deadline and amount.
    const paid = await tx.$executeRaw(Prisma.sql`
      UPDATE orders SET status = 'paid', paid_at = least(clock_timestamp(), pay_by), version = version + 1
      WHERE id = ${claim.claimId}::uuid AND buyer_id = ${payment.buyerId} AND status = 'pending_payment'
        AND pay_by > clock_timestamp() AND amount_minor = ${payment.amountMinor}::bigint AND currency = ${payment.currency}`);
    if (paid === 0) return false;
    await captureFromOutside(tx, payment, claim.claimId);
    await tx.$executeRaw(Prisma.sql`
      UPDATE payments SET status = 'paid', paid_order_id = ${claim.claimId}::uuid, updated_at = clock_timestamp()
      WHERE id = ${payment.id}`);
    return true;
  });
}

/**
 * Decides that late money, a payment that arrived after its order had ended, is refunded. The money is booked in and
 * out, the order gets its reason, and the provider's refund becomes due. If another payment has already paid for the
 * order, nothing is booked, and operators see the surplus.
 *
 * @param payment a payment in status `late`
 * @returns false when another process has decided, or the order has not ended
 * @throws Prisma's error: retry
 */
export function refundLateMoney(db: Database, payment: Payment): Promise<boolean> {
  return db.$transaction(async tx => {
    if (!(await lockLate(tx, payment)) || !(await lockEnded(tx, payment))) return false;
    if (await isBooked(tx, payment.orderId)) {
      await oweSurplus(tx, payment);
      return true;
    }
    await captureFromOutside(tx, payment, payment.orderId);
    await refundToOutside(tx, payment, payment.orderId);
    await tx.$executeRaw(Prisma.sql`
      UPDATE orders SET reason = 'refunded_late_payment', version = version + 1
      WHERE id = ${payment.orderId}::uuid AND status = 'cancelled'`);
    await tx.$executeRaw(Prisma.sql`
      UPDATE payments SET status = 'refund_due', refund_at = clock_timestamp(), updated_at = clock_timestamp()
      WHERE id = ${payment.id}`);
    return true;
  });
}

/**
 * Locks an order's row and tells whether the order has ended. The lock waits for a process that is ending the order.
 * The status counts and not the deadline, which an operator may have moved.
 */
async function lockEnded(tx: Transaction, { orderId }: Payment): Promise<boolean> {
  const [order] = await tx.$queryRaw<{ ended: boolean }[]>(
    Prisma.sql`SELECT status <> 'pending_payment' AS ended FROM orders WHERE id = ${orderId}::uuid FOR UPDATE`,
  );
  return order?.ended ?? false;
}

async function isBooked(tx: Transaction, orderId: string): Promise<boolean> {
  const captures = await tx.$queryRaw<unknown[]>(
    Prisma.sql`SELECT FROM transfers WHERE order_id = ${orderId}::uuid AND kind = 'capture'`,
  );
  return captures.length > 0;
}

async function oweSurplus(tx: Transaction, payment: Payment): Promise<void> {
  const { id, paymentId, amountMinor, currency } = payment;
  const surplus = JSON.stringify({ state: 'paid', paymentId, amountMinor, currency });
  await tx.$executeRaw(Prisma.sql`
    UPDATE payments SET status = 'refund_due', refund_at = clock_timestamp(), mismatch = ${surplus}::jsonb, updated_at = clock_timestamp()
    WHERE id = ${id}`);
}

async function lockLate(tx: Transaction, { id }: Payment): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>(
    Prisma.sql`SELECT FROM payments WHERE id = ${id} AND status = 'late' FOR UPDATE`,
  );
  return rows.length === 1;
}
