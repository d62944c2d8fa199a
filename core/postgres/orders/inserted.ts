import type { Claim } from '../../rules/claim.js';
import type { Order } from '../../rules/order.js';
import { Prisma } from '../database.js';

/**
 * The one result row of a statement that inserts orders for a batch of claims. `ids` lists the inserted ones, only if
 * some were not inserted.
 */
export interface InsertedRow {
  inserted: bigint;
  ids: string | null;
  pay_by: Date | null;
  /** The ids of the orders with a shorter time to pay, and their deadline; missing in a sale that has none. */
  sooner_ids?: string | null;
  sooner_by?: Date | null;
}

/**
 * Builds the columns of an {@link InsertedRow}, for a SELECT from the inserted orders.
 *
 * @param claims the whole batch, inserted or not
 */
export function inserted(claims: Claim[]): Prisma.Sql {
  return Prisma.sql`count(*) AS inserted, max(pay_by) AS pay_by,
    CASE WHEN count(*) < ${claims.length} THEN string_agg(id::text, ' ') END AS ids`;
}

/**
 * Builds further columns of an {@link InsertedRow}, for a sale whose orders have two times to pay: which orders have the shorter one. All
 * have the same `placed_at`.
 */
export const soonerPaid = (saleId: string): Prisma.Sql => {
  const isSooner = Prisma.sql`pay_by < placed_at +
    (SELECT pay_within_seconds FROM sales WHERE id = ${saleId}) * interval '1 second'`;
  return Prisma.sql`, string_agg(id::text, ' ') FILTER (WHERE ${isSooner}) AS sooner_ids, min(pay_by) AS sooner_by`;
};

/**
 * Returns the claims of a batch that became orders.
 *
 * @param claims the whole batch, inserted or not
 * @param row the result of the statement that inserted the orders
 */
export function insertedOf(claims: Claim[], row: InsertedRow | undefined): (Claim & Pick<Order, 'payByMs'>)[] {
  const payByMs = row?.pay_by?.getTime() ?? 0;
  const soonerByMs = row?.sooner_by?.getTime() ?? payByMs;
  const sooner = new Set(row?.sooner_ids?.split(' '));
  const ids = row?.ids == null ? undefined : new Set(row.ids.split(' '));
  const those = ids ? claims.filter(claim => ids.has(claim.claimId)) : claims.slice(0, Number(row?.inserted));
  return those.map(claim => ({ ...claim, payByMs: sooner.has(claim.claimId) ? soonerByMs : payByMs }));
}
