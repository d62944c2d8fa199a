import { type Database, Prisma } from '../database.js';

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
  /** The provider's report as JSON if it contradicts the request or reports a surplus payment, else null. */
  mismatch: unknown;
  refundTries: number;
}

/** Failed attempts after which a refund at a provider counts as stuck. */
const TRIES_ODD = 3;

interface Row {
  order_id: string;
  buyer_id: string;
  sale_id: string;
  provider: string;
  provider_payment_id: string | null;
  status: string;
  amount_minor: bigint;
  currency: string;
  mismatch: unknown;
  refund_tries: number;
}

/**
 * Reads payments that contradict their request, surplus payments and refunds that are stuck, newest first.
 *
 * @param limit the most rows
 */
export async function readOddPayments(db: Database, limit: number): Promise<OddPayment[]> {
  const rows = await db.$queryRaw<Row[]>(Prisma.sql`
    SELECT p.order_id, o.buyer_id, o.sale_id, p.provider, p.provider_payment_id, p.status, p.amount_minor, p.currency, p.mismatch,
           p.refund_tries
    FROM payments p JOIN orders o ON o.id = p.order_id
    WHERE p.mismatch IS NOT NULL OR (p.status = 'refund_due' AND p.refund_tries >= ${TRIES_ODD})
    ORDER BY p.id DESC LIMIT ${limit}`);
  return rows.map(row => ({
    orderId: row.order_id,
    buyerId: row.buyer_id,
    saleId: row.sale_id,
    provider: row.provider,
    paymentId: row.provider_payment_id,
    status: row.status,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    mismatch: row.mismatch,
    refundTries: row.refund_tries,
  }));
}
