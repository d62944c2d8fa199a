import type { Claim } from '../../rules/claim.js';
import type { OrderReason } from '../../rules/order.js';
import { type Database, Prisma } from '../database.js';
import { endOrders, insertReleases, type ReleaseRow } from '../deliveries/releases.js';
import { claimRows } from './claim-rows.js';

/**
 * Gives claims up before they were placed: a tombstone under the claim's id, so that whoever tries to place it later
 * finds the row and does nothing. The only way to compensate a claim.
 *
 * @param db the database
 * @param saleId the sale
 * @param claims at most 1,000
 * @param reason what the buyers are told
 * @returns the releases to carry out; none for a claim that has a row already
 * @throws what Prisma throws: then do it again
 */
export function insertTombstones(
  db: Database,
  saleId: string,
  claims: Claim[],
  reason: OrderReason,
): Promise<ReleaseRow[]> {
  return insertEnded(db, saleId, claims, 'void', reason);
}

function insertEnded(
  db: Database,
  saleId: string,
  claims: Claim[],
  status: 'void' | 'cancelled',
  reason: OrderReason,
): Promise<ReleaseRow[]> {
  return endOrders(
    db,
    Prisma.sql`
      WITH ended AS (
        INSERT INTO orders (id, sale_id, buyer_id, unit, status, reason, amount_minor, currency, pay_by, cancelled_at)
        SELECT c.id, s.id, c.buyer_id, c.unit, ${status}, ${reason}, s.price_minor, s.currency, clock_timestamp(), clock_timestamp()
        FROM ${claimRows(claims)}
        JOIN sales s ON s.id = ${saleId}
        ORDER BY c.id
        ON CONFLICT (id) DO NOTHING
        RETURNING id, sale_id, buyer_id, unit, status, reason)
      ${insertReleases()}`,
  );
}

/**
 * Cancels an order for its buyer, whether it is placed already or not.
 *
 * @param db the database
 * @param saleId the sale
 * @param claim whose order
 * @returns the release to carry out; none when the order is paid or has ended
 * @throws what Prisma throws: then do it again
 */
export async function cancelRow(db: Database, saleId: string, claim: Claim): Promise<ReleaseRow[]> {
  const unplaced = await insertEnded(db, saleId, [claim], 'cancelled', 'cancelled_by_buyer');
  if (unplaced.length > 0) return unplaced;
  return endOrders(
    db,
    Prisma.sql`
      WITH ended AS (
        UPDATE orders SET status = 'cancelled', reason = 'cancelled_by_buyer', cancelled_at = clock_timestamp(), version = version + 1
        WHERE id = ${claim.claimId}::uuid AND buyer_id = ${claim.buyerId} AND status = 'pending_payment'
        RETURNING id, sale_id, buyer_id, unit, status, reason)
      ${insertReleases()}`,
  );
}

/**
 * Cancels orders whose payment deadline has passed, by Postgres's clock.
 *
 * @param db the database
 * @param limit how many, at most
 * @param claimIds only these; all sales' orders without
 * @returns the releases to carry out
 * @throws what Prisma throws: then do it again
 */
export function expireRows(db: Database, limit: number, claimIds?: string[]): Promise<ReleaseRow[]> {
  const among = claimIds ? Prisma.sql`AND id = ANY(${claimIds}::uuid[])` : Prisma.empty;
  return endOrders(
    db,
    Prisma.sql`
      WITH overdue AS (
        SELECT id FROM orders WHERE status = 'pending_payment' AND pay_by <= clock_timestamp() ${among}
        ORDER BY pay_by LIMIT ${limit} FOR UPDATE SKIP LOCKED),
      ended AS (
        UPDATE orders o SET status = 'cancelled', reason = 'unpaid', cancelled_at = clock_timestamp(), version = version + 1
        FROM overdue WHERE o.id = overdue.id
        RETURNING o.id, o.sale_id, o.buyer_id, o.unit, o.status, o.reason)
      ${insertReleases()}`,
  );
}
