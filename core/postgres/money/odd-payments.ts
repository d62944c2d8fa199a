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
  /** The total that is to go back, and the total that the provider has returned. */
  refundMinor: number;
  returnedMinor: number;
  /** The money that open disputes withhold. */
  withheldMinor: number;
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
  refund_minor: bigint;
  returned_minor: bigint;
  withheld_minor: bigint;
}

/**
 * Reads payments that contradict their request, surplus payments, refunds that are stuck, open disputes, and paid orders
 * whose provider returned everything by itself; newest first.
 *
 * @param limit the most rows
 */
export async function readOddPayments(db: Database, limit: number): Promise<OddPayment[]> {
  const rows = await db.$queryRaw<Row[]>(Prisma.sql`
    SELECT p.order_id, o.buyer_id, o.sale_id, p.provider, p.provider_payment_id, p.status, p.amount_minor, p.currency, p.mismatch,
           p.refund_tries, p.refund_minor, p.returned_minor, d.withheld_minor
    FROM payments p JOIN orders o ON o.id = p.order_id, LATERAL (
      SELECT coalesce(sum(amount_minor), 0)::bigint AS withheld_minor
      FROM disputes WHERE payment_id = p.id AND status = 'open') d
    WHERE p.mismatch IS NOT NULL OR (p.refund_at IS NOT NULL AND p.refund_tries >= ${TRIES_ODD})
      OR (p.status = 'paid' AND p.refund_minor >= p.amount_minor)
      OR p.id IN (SELECT payment_id FROM disputes WHERE status = 'open')
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
    refundMinor: Number(row.refund_minor),
    returnedMinor: Number(row.returned_minor),
    withheldMinor: Number(row.withheld_minor),
  }));
}
