import { Prisma, type Transaction } from '../database.js';
import { PAY_UNTIL } from '../orders/deadline.js';
import type { Payment } from './payment.js';

/** A movement between the shop's account and the one that stands for a provider, in minor units. */
export interface OutsideTransfer {
  kind: 'capture' | 'refund' | 'dispute' | 'dispute_reversal';
  amountMinor: number;
}

/**
 * Books a movement of a provider's payment, on the order to which the payment is booked. A capture and the end of a
 * dispute bring money from the account that stands for the provider to the shop's account; a refund and a dispute take
 * it back.
 *
 * @param tx the transaction that decides the movement, and has locked the payment
 * @throws Error when an account is missing: no payment may exist without its transfer
 */
export async function bookWithOutside(
  tx: Transaction,
  { provider, currency, bookedOrderId }: Payment,
  { kind, amountMinor }: OutsideTransfer,
): Promise<void> {
  const isComing = kind === 'capture' || kind === 'dispute_reversal';
  const [debit, credit] = isComing
    ? [Prisma.sql`outside.id`, Prisma.sql`shop.id`]
    : [Prisma.sql`shop.id`, Prisma.sql`outside.id`];
  const booked = await tx.$executeRaw(Prisma.sql`
    INSERT INTO transfers (order_id, kind, part, debit_account_id, credit_account_id, amount_minor, currency)
    SELECT ${bookedOrderId}::uuid, ${kind}, ${kind === 'capture' ? Prisma.sql`0` : nextPart(bookedOrderId, kind)},
           ${debit}, ${credit}, ${amountMinor}::bigint, ${currency}
    FROM accounts shop JOIN accounts outside ON outside.currency = shop.currency
    WHERE shop.kind = 'shop' AND shop.owner = 'shop' AND shop.currency = ${currency}
      AND outside.kind = 'external' AND outside.owner = ${provider}`);
  if (booked !== 1) throw new Error(`order ${bookedOrderId}: there is no account to book its ${kind}`);
}

/**
 * Builds the number of an order's next transfer of a kind. The row of the payment or of the order is locked meanwhile.
 * There is one capture, so it has number 0 always.
 */
export function nextPart(orderId: string, kind: string): Prisma.Sql {
  return Prisma.sql`(
    SELECT coalesce(max(part) + 1, 0) FROM transfers WHERE order_id = ${orderId}::uuid AND kind = ${kind})`;
}

/**
 * Marks the order of a payment as paid, and books the capture. One update checks status and deadline by Postgres's
 * clock, so exactly one of pay, cancel and expire wins.
 *
 * @returns false when the order has ended or is overdue
 */
export async function payRow(tx: Transaction, payment: Payment): Promise<boolean> {
  const { id, amountMinor } = payment;
  const paid = await tx.$executeRaw(Prisma.sql`
    UPDATE orders o SET status = 'paid', paid_at = least(clock_timestamp(), o.pay_by), version = version + 1
    FROM payments p
    WHERE o.id = p.order_id AND p.id = ${id} AND o.status = 'pending_payment' AND ${PAY_UNTIL} > clock_timestamp()`);
  if (paid === 1) await bookWithOutside(tx, payment, { kind: 'capture', amountMinor });
  return paid === 1;
}
