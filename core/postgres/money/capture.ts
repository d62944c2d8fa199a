import { Prisma, type Transaction } from '../database.js';
import type { Payment } from './payment.js';

/**
 * Books the money of a payment: from its provider's outside to the shop, for an order.
 *
 * @param tx the transaction that makes the order paid, or gives the money back at once
 * @param payment the payment
 * @param orderId the order that it pays for
 * @throws when the accounts are missing: a payment without its books must not be
 */
export async function captureFromOutside(tx: Transaction, payment: Payment, orderId: string): Promise<void> {
  const booked = await book(tx, payment, orderId, 'capture');
  if (booked !== 1) throw new Error(`order ${orderId}: there is no account to book its payment`);
}

/**
 * Books the way back: from the shop to the provider's outside.
 *
 * @param tx the transaction
 * @param payment the payment
 * @param orderId the order that it was booked for
 * @throws when the accounts are missing
 */
export async function refundToOutside(tx: Transaction, payment: Payment, orderId: string): Promise<void> {
  const booked = await book(tx, payment, orderId, 'refund');
  if (booked !== 1) throw new Error(`order ${orderId}: there is no account to book its refund`);
}

function book(tx: Transaction, payment: Payment, orderId: string, kind: 'capture' | 'refund'): Promise<number> {
  const { provider, currency, amountMinor } = payment;
  const [debit, credit] =
    kind === 'capture' ? [Prisma.sql`outside.id`, Prisma.sql`shop.id`] : [Prisma.sql`shop.id`, Prisma.sql`outside.id`];
  return tx.$executeRaw(Prisma.sql`
    INSERT INTO transfers (order_id, kind, debit_account_id, credit_account_id, amount_minor, currency)
    SELECT ${orderId}::uuid, ${kind}, ${debit}, ${credit}, ${amountMinor}::bigint, ${currency}
    FROM accounts shop JOIN accounts outside ON outside.currency = shop.currency
    WHERE shop.kind = 'shop' AND shop.owner = 'shop' AND shop.currency = ${currency}
      AND outside.kind = 'external' AND outside.owner = ${provider}`);
}
