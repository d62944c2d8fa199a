import { Prisma } from '#core/postgres/database.js';
import { type Payment, readPayments } from '#core/postgres/money/payment.js';
import type { PaymentReport } from '#core/rules/payment.js';
import { type PaymentStores, PRICE } from '../payments.js';

/** Reads the latest payment of an order, as the steps read it. */
export async function paymentOf({ db }: PaymentStores, orderId: string): Promise<Payment> {
  const [payment] = await readPayments(db, Prisma.sql`p.order_id = ${orderId}::uuid ORDER BY p.attempt DESC LIMIT 1`);
  if (!payment) throw new Error(`order ${orderId} has no payment`);
  return payment;
}

/** Reads the row of an order. */
export function orderOf({ db }: Pick<PaymentStores, 'db'>, orderId: string) {
  return db.order.findUniqueOrThrow({ where: { id: orderId } });
}

/** Reads the row of the latest payment of an order. */
export function paymentRowOf({ db }: PaymentStores, orderId: string) {
  return db.payment.findFirstOrThrow({ where: { orderId }, orderBy: { attempt: 'desc' } });
}

/** Reads what the provider knows of the payment of an order. */
export async function paymentAtProvider({ fake }: PaymentStores, orderId: string) {
  return (await fake.payments()).find(payment => payment.orderId === orderId);
}

/** Reads the kinds and amounts of an order's transfers, the oldest first. */
export async function transfersOf({ db }: PaymentStores, orderId: string): Promise<[string, number][]> {
  const transfers = await db.transfer.findMany({ where: { orderId }, orderBy: { id: 'asc' } });
  return transfers.map(({ kind, amountMinor }) => [kind, Number(amountMinor)]);
}

/** Builds the report that the provider has taken the price of an order. */
export async function paidReport(stores: PaymentStores, orderId: string): Promise<PaymentReport> {
  const { paymentId } = await paymentOf(stores, orderId);
  return { paymentId: paymentId ?? '', orderId, state: 'paid', amountMinor: PRICE, currency: 'EUR' };
}
