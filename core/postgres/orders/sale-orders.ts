import type { Order } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';
import { ORDER_COLUMNS, type OrderRow, orderOf } from './order-row.js';

/**
 * Reads the latest order of every buyer of a sale: the live one, otherwise the newest that ended. Linear in the size of
 * the sale.
 */
export async function readLatestOrders(db: Database, saleId: string): Promise<Order[]> {
  const rows = await db.$queryRaw<OrderRow[]>(Prisma.sql`
    SELECT DISTINCT ON (o.buyer_id) ${ORDER_COLUMNS} FROM orders o WHERE o.sale_id = ${saleId}
    ORDER BY o.buyer_id, (o.status IN ('pending_payment', 'paid')) DESC, o.placed_at DESC`);
  return rows.map(orderOf);
}

/** Reads the withdrawn units of a sale, which were refunded and do not return to stock. */
export async function readWithdrawnUnits(db: Database, saleId: string): Promise<number[]> {
  const rows = await db.withdrawnUnit.findMany({ where: { saleId }, select: { unit: true } });
  return rows.map(row => row.unit);
}
