import { type Database, Prisma } from '../database.js';

/** A payment that an operator should look at. Money in minor units. */
export interface OddPayment {
  orderId: string;
  buyerId: string;
  saleId: string;
  provider: string;
  paymentId: string | null;
  status: string;
  amountMinor: number;
  currency: string;
  /** What the provider says it took, where that is not what was asked for. */
  mismatch: unknown;
  refundTries: number;
}

/** A refund that was tried this often isn't merely waiting for its turn. */
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
 * @param db the database
 * @param limit how many, at most
 * @returns payments of another amount than was asked for, and refunds that don't go through; the newest first
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
