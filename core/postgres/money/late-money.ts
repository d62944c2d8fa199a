import type { Claim } from '../../rules/claim.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { insertUnpaidOrders } from '../orders/insert-orders.js';
import { captureFromOutside, refundToOutside } from './capture.js';
import { type Payment, readPayments } from './payment.js';

/**
 * Reads payments whose money came after their order had ended, and that are still undecided.
 *
 * @param limit the most rows
 * @param afterId the last id of the previous page
 */
export function readLateMoney(db: Database, limit: number, afterId: bigint): Promise<Payment[]> {
  return readPayments(db, Prisma.sql`p.status = 'late' AND p.id > ${afterId} ORDER BY p.id LIMIT ${limit}`);
}

/**
 * Pays a new order with late money, for a unit that was taken again. Order, capture and payment are one transaction.
 *
 * @param payment a payment in status `late`
 * @param claim the claim that took the unit, with the payment's `regrabClaimId`
 * @returns false when another process has decided, or the order cannot be paid: then the money stays `late`
 * @throws Prisma's error: the outcome is unknown, so retry
 */
export function payWithLateMoney(db: Database, payment: Payment, claim: Claim): Promise<boolean> {
  return db.$transaction(async tx => {
    if (!(await lockLate(tx, payment))) return false;
    await insertUnpaidOrders(tx, payment.saleId, [claim]);
    // Rescue may have placed the order already, and its buyer may have cancelled it. So the guard is that of every
    // payment.
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
 * Decides that late money goes back. The money is booked in and out, the order gets its reason, and the refund is due
 * at the provider. Money on top of another capture goes back unbooked and is shown to the operator.
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
 * Locks the order and tells whether it has ended. The lock waits for a process that is ending it, and sees a deadline
 * that an operator has moved.
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
