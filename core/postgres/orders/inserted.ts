import type { Claim } from '../../rules/claim.js';
import type { Order } from '../../rules/order.js';
import { Prisma } from '../database.js';

/** The claims of a batch that a statement inserted: one row, with ids only if some are missing. */
export interface InsertedRow {
  inserted: bigint;
  ids: string | null;
  pay_by: Date | null;
}

/**
 * Builds the columns of an {@link InsertedRow}, of a table of orders.
 *
 * @param claims the claims of the statement
 */
export function inserted(claims: Claim[]): Prisma.Sql {
  return Prisma.sql`count(*) AS inserted, max(pay_by) AS pay_by,
    CASE WHEN count(*) < ${claims.length} THEN string_agg(id::text, ' ') END AS ids`;
}

/**
 * Returns the claims that became orders.
 *
 * @param claims the claims of the statement
 * @param row the result of the statement
 */
export function insertedOf(claims: Claim[], row: InsertedRow | undefined): (Claim & Pick<Order, 'payByMs'>)[] {
  const payByMs = row?.pay_by?.getTime() ?? 0;
  const ids = row?.ids == null ? undefined : new Set(row.ids.split(' '));
  const those = ids ? claims.filter(claim => ids.has(claim.claimId)) : claims.slice(0, Number(row?.inserted));
  return those.map(claim => ({ ...claim, payByMs }));
}
