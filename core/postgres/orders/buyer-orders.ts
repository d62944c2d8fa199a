import { type Database, Prisma } from '../database.js';

/** One order of a buyer, as an operator sees it. */
export interface BuyerOrder {
  orderId: string;
  saleId: string;
  unit: number;
  status: string;
  reason: string | null;
  amountMinor: number;
  currency: string;
  /** The total that went back of a paid order. */
  refundedMinor: number;
  placedAt: string;
}

interface BuyerOrderRow {
  id: string;
  sale_id: string;
  unit: number;
  status: string;
  reason: string | null;
  amount_minor: bigint;
  currency: string;
  refunded_minor: bigint;
  placed_at: Date;
}

/**
 * Reads the newest orders of a buyer, newest first. Tombstones (rows of claims that were given up) are left out. Each
 * sale is asked for the buyer: one look-up in an index a sale. An index by buyer would cost every new order more than an
 * operator's page is worth.
 *
 * @param limit the most rows
 */
export async function readBuyerOrders(db: Database, buyerId: string, limit: number): Promise<BuyerOrder[]> {
  const rows = await db.$queryRaw<BuyerOrderRow[]>(Prisma.sql`
    SELECT o.* FROM sales s, LATERAL (
      SELECT id, sale_id, unit, status, reason, amount_minor, currency, refunded_minor, placed_at FROM orders
      WHERE sale_id = s.id AND buyer_id = ${buyerId} AND status <> 'void' ORDER BY placed_at DESC LIMIT ${limit}) o
    ORDER BY o.placed_at DESC LIMIT ${limit}`);
  return rows.map(row => ({
    orderId: row.id,
    saleId: row.sale_id,
    unit: row.unit,
    status: row.status,
    reason: row.reason,
    amountMinor: Number(row.amount_minor),
    currency: row.currency,
    refundedMinor: Number(row.refunded_minor),
    placedAt: row.placed_at.toISOString(),
  }));
}
