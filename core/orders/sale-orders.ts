import type { Order } from '../order.js';
import { type Database, Prisma } from './database.js';
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.js';

/**
 * Reads where every buyer of a sale stands: the live order, else the last that ended. Linear in the sale's orders.
 *
 * @param db the database
 * @param saleId the sale
 * @returns at most one order for each buyer
 */
export async function readLatestOrders(db: Database, saleId: string): Promise<Order[]> {
  const rows = await db.$queryRaw<OrderRow[]>(Prisma.sql`
    SELECT DISTINCT ON (o.buyer_id) ${ORDER_COLUMNS} FROM orders o WHERE o.sale_id = ${saleId}
    ORDER BY o.buyer_id, (o.status IN ('pending_payment', 'paid')) DESC, o.placed_at DESC`);
  return rows.map(orderOf);
}

/**
 * @param db the database
 * @param saleId the sale
 * @returns units that were refunded and don't return to stock
 */
export async function readWithdrawnUnits(db: Database, saleId: string): Promise<number[]> {
  const rows = await db.withdrawnUnit.findMany({ where: { saleId }, select: { unit: true } });
  return rows.map(row => row.unit);
}

/** A thing that reconciling put right. */
export interface Repair {
  kind:
    | 'restored_claim'
    | 'released_claim'
    | 'recorded_status'
    | 'placed_claim'
    | 'promoted'
    | 'rebuilt'
    | 'loaded'
    | 'updated';
  claimId?: string;
  detail: Record<string, string | number | boolean | null>;
}

/**
 * Leaves a trace of repairs, one row each.
 *
 * @param db the database
 * @param saleId the sale
 * @param repairs what was put right
 */
export async function recordRepairs(db: Database, saleId: string, repairs: Repair[]): Promise<void> {
  if (repairs.length === 0) return;
  await db.repair.createMany({
    data: repairs.map(({ kind, claimId, detail }) => ({ saleId, kind, claimId: claimId ?? null, detail })),
  });
}
