import { Prisma, type Transaction } from '../database.js';
import type { Payment } from './payment.js';

/**
 * Books the money of a provider's payment for an order. The transfer goes from the account that stands for the provider
 * to the shop's account.
 *
 * @param tx the transaction that marks the order as paid, or books the money's return at once
 * @throws Error when an account is missing: no payment may exist without its transfer
 */
export async function captureFromOutside(tx: Transaction, payment: Payment, orderId: string): Promise<void> {
  const booked = await book(tx, payment, orderId, 'capture');
  if (booked !== 1) throw new Error(`order ${orderId}: there is no account to book its payment`);
}

/**
 * Books the refund of a provider's payment. The transfer goes from the shop's account to the account that stands for
 * the provider.
 *
 * @param tx the transaction that decides the refund
 * @param orderId the order for which the money was booked
 * @throws Error when an account is missing
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
