import type { Database } from '../database.js';

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

/**
 * Reads the newest orders of a buyer, newest first. Tombstones (rows of claims that were given up) are left out.
 *
 * @param limit the most rows
 */
export async function readBuyerOrders(db: Database, buyerId: string, limit: number): Promise<BuyerOrder[]> {
  const rows = await db.order.findMany({
    where: { buyerId, status: { not: 'void' } },
    orderBy: { placedAt: 'desc' },
    take: limit,
  });
  return rows.map(({ id, saleId, unit, status, reason, amountMinor, currency, refundedMinor, placedAt }) => ({
    orderId: id,
    saleId,
    unit,
    status,
    reason,
    amountMinor: Number(amountMinor),
    currency,
    refundedMinor: Number(refundedMinor),
    placedAt: placedAt.toISOString(),
  }));
}
