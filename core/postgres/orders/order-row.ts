import type { Order, OrderReason, OrderStatus } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';

/** An order's row as the SQL statements of this folder return it. */
export interface OrderRow {
  id: string;
  buyer_id: string;
  unit: number;
  status: OrderStatus;
  reason: OrderReason | null;
  pay_by: Date;
  refunded_minor: bigint;
  buyer_group: string | null;
}

/** The columns of an {@link OrderRow}, for a query that calls the table `orders` `o`. */
export const ORDER_COLUMNS = Prisma.sql`o.id, o.buyer_id, o.unit, o.status, o.reason, o.pay_by, o.refunded_minor, o.buyer_group`;

/** Turns a row of `orders` into an order. */
export function orderOf(row: OrderRow): Order {
  return {
    claimId: row.id,
    buyerId: row.buyer_id,
    unit: row.unit,
    status: row.status,
    reason: row.reason,
    payByMs: row.pay_by.getTime(),
    ...(row.status === 'paid' && row.refunded_minor > 0n ? { refundedMinor: Number(row.refunded_minor) } : {}),
    ...(row.buyer_group === null ? {} : { group: row.buyer_group }),
  };
}

/** Reads the id of an order's sale; undefined without such an order. */
export async function readSaleIdOf(db: Database, orderId: string): Promise<string | undefined> {
  const [row] = await db.$queryRaw<{ sale_id: string }[]>(
    Prisma.sql`SELECT sale_id FROM orders WHERE id = ${orderId}::uuid`,
  );
  return row?.sale_id;
}

/** Reads the orders or tombstones of claims by their common id; claims without a row are left out. */
export async function readOrders(db: Database, claimIds: string[]): Promise<Order[]> {
  const rows = await db.$queryRaw<OrderRow[]>(
    Prisma.sql`SELECT ${ORDER_COLUMNS} FROM orders o WHERE o.id = ANY(${claimIds}::uuid[])`,
  );
  return rows.map(orderOf);
}
