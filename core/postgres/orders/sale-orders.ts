import type { Order } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';
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
