import type { Claim } from '../../rules/claim.js';
import type { Order } from '../../rules/order.js';
import { Prisma } from '../database.js';

/** Which of a batch of claims a statement has inserted: one row, and the ids only if it wasn't all of them. */
export interface InsertedRow {
  inserted: bigint;
  ids: string | null;
  pay_by: Date | null;
}

/**
 * @param claims those that were to be inserted
 * @returns the columns of an {@link InsertedRow}, of a table of orders
 */
export function inserted(claims: Claim[]): Prisma.Sql {
  return Prisma.sql`count(*) AS inserted, max(pay_by) AS pay_by,
    CASE WHEN count(*) < ${claims.length} THEN string_agg(id::text, ' ') END AS ids`;
}

/**
 * @param claims the same claims
 * @param row what the statement returned
 * @returns those of them that are orders now
 */
export function insertedOf(claims: Claim[], row: InsertedRow | undefined): (Claim & Pick<Order, 'payByMs'>)[] {
  const payByMs = row?.pay_by?.getTime() ?? 0;
  const ids = row?.ids == null ? undefined : new Set(row.ids.split(' '));
  const those = ids ? claims.filter(claim => ids.has(claim.claimId)) : claims.slice(0, Number(row?.inserted));
  return those.map(claim => ({ ...claim, payByMs }));
}
