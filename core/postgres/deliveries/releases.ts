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
 * Builds the INSERT that writes releases in the very statement that ends their orders. That statement needs a WITH
 * query `ended` that returns (id, sale_id, buyer_id, unit, status, reason). A unit is freed unless another live order
 * has it, or it was withdrawn (refunded without restock).
 *
 * @param options `freesUnits: false` keeps the units of these orders out of stock
 * @returns SQL whose result is one {@link Row} for each release
 */
export function insertReleases({ freesUnits } = { freesUnits: true }): Prisma.Sql {
  return Prisma.sql`
    INSERT INTO outbox_events (kind, sale_id, order_id, payload)
    SELECT 'release', e.sale_id, e.id, jsonb_build_object(
      'buyerId', e.buyer_id,
      'status', CASE e.status WHEN 'void' THEN 'rejected' ELSE e.status END,
      'reason', e.reason,
      'freesUnit', ${freesUnits} AND NOT EXISTS (
        SELECT FROM orders o
        WHERE o.sale_id = e.sale_id AND o.unit = e.unit AND o.id <> e.id AND o.status IN ('pending_payment', 'paid'))
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
export async function endOrders(
  db: Transaction,
  ended: Prisma.Sql,
  options?: { freesUnits: boolean },
): Promise<ReleaseRow[]> {
  const [row] = await db.$queryRaw<{ releases: string | null }[]>(Prisma.sql`${ended},
    released AS (${insertReleases(options)})
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
