import { wentBackWhole } from '../../rules/payment-money.js';
import { type Database, Prisma } from '../database.js';
import { type Mismatch, type Payment, readPayments } from './payment.js';

/** A provider's payment that an operator should look at. Amounts in minor units. */
export interface OddPayment {
  orderId: string;
  buyerId: string;
  saleId: string;
  provider: string;
  paymentId: string | null;
  status: string;
  amountMinor: number;
  currency: string;
  /** The currency of the money that was taken, returned and withheld: another one only by the provider's mistake. */
  takenCurrency: string;
  /** The provider's report if it contradicts the request or reports a surplus payment, else null. */
  mismatch: Mismatch | null;
  refundTries: number;
  /** The total that is to go back, and the total that the provider has returned. */
  refundMinor: number;
  returnedMinor: number;
  /** Whether all of it went back, and the order is still paid. */
  wentBackWhole: boolean;
  /** The money that open disputes withhold. */
  withheldMinor: number;
  /** The open disputes, also those in another currency, which are not part of `withheldMinor`. */
  disputes: OpenDispute[];
}

/** An open dispute about a payment, by its id at the provider. */
export interface OpenDispute {
  disputeId: string;
  amountMinor: number;
  currency: string;
}

/**
 * The SQL for whether a payment is odd by its own row. It is the condition of the index `payments_odd`, word for word: a
 * refund at a provider counts as stuck after 3 failed attempts.
 */
const IS_ODD = Prisma.sql`(mismatch IS NOT NULL OR (refund_at IS NOT NULL AND refund_tries >= 3)
  OR (status = 'paid' AND refund_minor >= amount_minor))`;

/**
 * Reads payments that contradict their request, surplus payments, refunds that are stuck, open disputes, and paid orders
 * whose provider returned everything by itself; newest first.
 *
 * @param limit the most rows
 */
export async function readOddPayments(db: Database, limit: number): Promise<OddPayment[]> {
  const payments = await readPayments(
    db,
    Prisma.sql`p.id IN (
        (SELECT id FROM payments WHERE ${IS_ODD} ORDER BY id DESC LIMIT ${limit})
        UNION (SELECT DISTINCT payment_id FROM disputes WHERE status = 'open' ORDER BY payment_id DESC LIMIT ${limit}))
      ORDER BY p.id DESC LIMIT ${limit}`,
  );
  const disputes = await db.dispute.findMany({
    where: { status: 'open', paymentId: { in: payments.map(({ id }) => id) } },
    orderBy: { id: 'asc' },
  });
  return payments.map(payment => ({
    ...factsOf(payment),
    disputes: disputes
      .filter(({ paymentId }) => paymentId === payment.id)
      .map(({ providerDisputeId, amountMinor, currency }) => ({
        disputeId: providerDisputeId,
        amountMinor: Number(amountMinor),
        currency,
      })),
  }));
}

function factsOf(payment: Payment): Omit<OddPayment, 'disputes'> {
  const { orderId, buyerId, saleId, provider, paymentId, status, amountMinor, currency, money } = payment;
  const { takenCurrency, mismatch, refundTries } = payment;
  const { refundMinor, returnedMinor, withheldMinor } = money;
  return {
    orderId,
    buyerId,
    saleId,
    provider,
    paymentId,
    status,
    amountMinor,
    currency,
    takenCurrency,
    mismatch,
    refundTries,
    refundMinor,
    returnedMinor,
    wentBackWhole: wentBackWhole(money),
    withheldMinor,
  };
}
