import type { Claim } from '../../rules/claim.js';
import { conclude } from '../../rules/payment-money.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { insertUnpaidOrders } from '../orders/insert-orders.js';
import { bookWithOutside, payRow } from './capture.js';
import { lockPayment, type Payment, readPayments } from './payment.js';
import { changePayment } from './payment-change.js';

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
export function payWithLateMoney(db: Database, { id }: Payment, claim: Claim): Promise<boolean> {
  return db.$transaction(async tx => {
    const payment = await lockLate(tx, id);
    if (!payment) return false;
    const { buyerId, amountMinor, currency, money } = payment;
    await insertUnpaidOrders(tx, payment.saleId, [claim]);
    // The task that rescues waiting claims may have placed this order already, and its buyer may have cancelled it. So
    // this update checks status, deadline and amount.
    const paid = await tx.$executeRaw(Prisma.sql`
      UPDATE orders SET status = 'paid', paid_at = least(clock_timestamp(), pay_by), version = version + 1
      WHERE id = ${claim.claimId}::uuid AND buyer_id = ${buyerId} AND status = 'pending_payment'
        AND pay_by > clock_timestamp() AND amount_minor = ${amountMinor}::bigint AND currency = ${currency}`);
    if (paid === 0) return false;
    const booked = { ...payment, bookedOrderId: claim.claimId };
    await bookWithOutside(tx, booked, { kind: 'capture', amountMinor });
    await changePayment(tx, booked, { money: conclude({ ...money, status: 'paid' }), paidOrderId: claim.claimId });
    return true;
  });
}

/**
 * Pays the order for which late money came, if the order can be paid after all: an operator has moved its deadline.
 *
 * @param payment a payment in status `late`
 * @returns false when another process has decided, or the order cannot be paid
 * @throws Prisma's error: retry
 */
export function payAfterAll(db: Database, { id }: Payment): Promise<boolean> {
  return db.$transaction(async tx => {
    const payment = await lockLate(tx, id);
    if (!payment || !(await payRow(tx, payment))) return false;
    const money = conclude({ ...payment.money, status: 'paid' });
    await changePayment(tx, payment, { money, paidOrderId: payment.orderId });
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
export function refundLateMoney(db: Database, { id }: Payment): Promise<boolean> {
  return db.$transaction(async tx => {
    const payment = await lockLate(tx, id);
    if (!payment || !(await lockEnded(tx, payment))) return false;
    const { amountMinor, currency, paymentId } = payment;
    const money = conclude({ ...payment.money, status: 'refund_due' });
    if (await isBooked(tx, payment.orderId)) {
      const mismatch = { state: 'paid', paymentId: paymentId ?? '', amountMinor, currency } as const;
      await changePayment(tx, payment, { money, mismatch });
      return true;
    }
    await bookWithOutside(tx, payment, { kind: 'capture', amountMinor });
    await bookWithOutside(tx, payment, { kind: 'refund', amountMinor });
    await tx.$executeRaw(Prisma.sql`
      UPDATE orders SET reason = 'refunded_late_payment', version = version + 1
      WHERE id = ${payment.orderId}::uuid AND status = 'cancelled'`);
    await changePayment(tx, payment, { money });
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

function lockLate(tx: Transaction, id: bigint): Promise<Payment | undefined> {
  return lockPayment(tx, Prisma.sql`p.id = ${id} AND p.status = 'late'`);
}
