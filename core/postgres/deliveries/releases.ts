import type { EndedStatus } from '../../rules/claim.js';
import type { OrderReason } from '../../rules/order.js';
import { type Database, Prisma, type Transaction } from '../database.js';

/**
 * A release that a Postgres transaction has decided: a unit and its buyer become free. core/steps/release-units.ts
 * carries it out in Redis.
 */
export interface ReleaseRow {
  id: bigint;
  saleId: string;
  claimId: string;
  buyerId: string;
  status: EndedStatus;
  reason: OrderReason;
  freesUnit: boolean;
}

/** A release as its row in the table `outbox_events` states it. */
export interface Row {
  id: bigint;
  sale_id: string;
  order_id: string;
  payload: { buyerId: string; status: EndedStatus; reason: OrderReason; freesUnit: boolean };
}

/**
 * Which units the releases of a statement free: those that no other live order has, the `own` units of orders that were live until this
 * statement, or none. An index keeps the unit of a live order from all others, so an `own` unit needs no look-up, which takes 4 us.
 */
type Freed = 'unless taken' | 'own' | 'none';

const FREED: Record<Freed, Prisma.Sql> = {
  'unless taken': Prisma.sql`NOT EXISTS (
        SELECT FROM orders o
        WHERE o.sale_id = e.sale_id AND o.unit = e.unit AND o.id <> e.id AND o.status IN ('pending_payment', 'paid'))`,
  own: Prisma.sql`true`,
  none: Prisma.sql`false`,
};

/**
 * Builds the INSERT that writes releases in the very statement that ends their orders. That statement needs a WITH
 * query `ended` that returns (id, sale_id, buyer_id, unit, status, reason). A unit that was withdrawn (refunded without restock) is
 * never freed.
 *
 * @returns SQL whose result is one {@link Row} for each release
 */
export function insertReleases(freed: Freed): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO outbox_events (kind, sale_id, order_id, payload)
    SELECT 'release', e.sale_id, e.id, jsonb_build_object(
      'buyerId', e.buyer_id,
      'status', CASE e.status WHEN 'void' THEN 'rejected' ELSE e.status END,
      'reason', e.reason,
      'freesUnit', ${FREED[freed]}
        AND NOT EXISTS (SELECT FROM withdrawn_units w WHERE w.sale_id = e.sale_id AND w.unit = e.unit))
    FROM ended e
    RETURNING id, sale_id, order_id, payload`;
}

/**
 * Runs an SQL statement that ends orders and writes their releases.
 *
 * @param ended the statement's WITH, whose query `ended` is that of {@link insertReleases}
 * @returns the releases that the statement wrote. They come as one text: hundreds of rows cost the client more than the text
 */
export async function endOrders(db: Transaction, ended: Prisma.Sql, freed: Freed): Promise<ReleaseRow[]> {
  const [row] = await db.$queryRaw<{ releases: string | null }[]>(Prisma.sql`${ended},
    released AS (${insertReleases(freed)})
    SELECT json_agg(json_build_object('id', id::text, 'sale_id', sale_id, 'order_id', order_id, 'payload', payload))::text AS releases
    FROM released`);
  const written = JSON.parse(row?.releases ?? '[]') as (Omit<Row, 'id'> & { id: string })[];
  return written.map(({ id, ...rest }) => releaseOf({ id: BigInt(id), ...rest }));
}

/** Reads the releases of ended orders, whether Redis has carried them out or not. */
export async function readReleases(db: Database, claimIds: string[]): Promise<ReleaseRow[]> {
  const rows = await db.$queryRaw<Row[]>(Prisma.sql`
    SELECT id, sale_id, order_id, payload FROM outbox_events WHERE kind = 'release' AND order_id = ANY(${claimIds}::uuid[])`);
  return rows.map(releaseOf);
}

/** Turns a row of `outbox_events` into a release. */
export function releaseOf(row: Row): ReleaseRow {
  return { id: row.id, saleId: row.sale_id, claimId: row.order_id, ...row.payload };
}
