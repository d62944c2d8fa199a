import type { EndedStatus } from '../../rules/claim.js';
import type { OrderReason } from '../../rules/order.js';
import { type Database, Prisma, type Transaction } from '../database.js';
import { KEPT_SINCE, LAST_DUE } from '../sales.js';

/** A release that a transaction has decided, to be carried out in Redis after it. */
export interface ReleaseEvent {
  id: bigint;
  saleId: string;
  claimId: string;
  buyerId: string;
  status: EndedStatus;
  reason: OrderReason;
  freesUnit: boolean;
}

interface ReleaseEventRow {
  id: bigint;
  sale_id: string;
  order_id: string;
  payload: { buyerId: string; status: EndedStatus; reason: OrderReason; freesUnit: boolean };
}

/**
 * The statement part that writes the release events of orders which just ended, in the statement that ended them: its part `ended`
 * returns their rows (id, sale_id, buyer_id, unit, status, reason). A unit is only freed when no other live order has it,
 * and it was not withdrawn.
 *
 * @param freesUnits false when the units don't return to stock in any case
 * @returns an INSERT that returns event rows
 */
export function insertReleaseEvents(freesUnits = true): Prisma.Sql {
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
 * Runs a statement that ends orders and returns the rows of {@link insertReleaseEvents}.
 *
 * @param db the database, or a transaction
 * @param statement the statement
 * @returns the events that it wrote
 */
export async function endOrders(db: Transaction, statement: Prisma.Sql): Promise<ReleaseEvent[]> {
  return (await db.$queryRaw<ReleaseEventRow[]>(statement)).map(eventOf);
}

/**
 * @param db the database
 * @param olderThanMs how long ago they were written at least, in ms
 * @param limit how many, at most
 * @param afterId only events behind this one
 * @returns the oldest events that are not delivered, of sales that Redis should have
 */
export async function readUndelivered(
  db: Database,
  olderThanMs: number,
  limit: number,
  afterId: bigint,
): Promise<ReleaseEvent[]> {
  const rows = await db.$queryRaw<ReleaseEventRow[]>(Prisma.sql`
    SELECT id, sale_id, order_id, payload FROM outbox_events
    WHERE kind = 'release' AND delivered_at IS NULL AND id > ${afterId} AND created_at <= clock_timestamp() - ${olderThanMs} * interval '1 millisecond'
      AND EXISTS (SELECT FROM sales s WHERE s.id = sale_id AND ${LAST_DUE} > ${KEPT_SINCE})
    ORDER BY id LIMIT ${limit}`);
  return rows.map(eventOf);
}

/**
 * @param db the database
 * @param claimIds orders that have ended
 * @returns their releases, whether carried out already or not
 */
export async function readReleases(db: Database, claimIds: string[]): Promise<ReleaseEvent[]> {
  const rows = await db.$queryRaw<ReleaseEventRow[]>(Prisma.sql`
    SELECT id, sale_id, order_id, payload FROM outbox_events WHERE kind = 'release' AND order_id = ANY(${claimIds}::uuid[])`);
  return rows.map(eventOf);
}

/**
 * @param db the database
 * @param ids events that were carried out
 */
export async function markDelivered(db: Database, ids: bigint[]): Promise<void> {
  await db.$executeRaw(
    Prisma.sql`UPDATE outbox_events SET delivered_at = clock_timestamp() WHERE id = ANY(${ids}::bigint[])`,
  );
}

/**
 * Closes the releases of sales that have left Redis, a refund of much later among them: there is nothing to release any more.
 *
 * @param db the database
 */
export async function closeEvents(db: Database): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET delivered_at = clock_timestamp()
    WHERE kind = 'release' AND delivered_at IS NULL
      AND EXISTS (SELECT FROM sales s WHERE s.id = sale_id AND ${LAST_DUE} <= ${KEPT_SINCE})`);
}

/** Of so many events one statement ends well within its time: two million at once took 4.5 s of 5 (measured). */
const PRUNE_BATCH = 100_000;

/**
 * Deletes events that nobody needs any more: what the shop has taken, or has not taken in as long, and releases of sales that ended as
 * long ago. Before, a Redis that comes back older may need a release again that was carried out long ago.
 *
 * @param db the database
 */
export async function pruneEvents(db: Database): Promise<void> {
  for (;;) {
    const deleted = await db.$executeRaw(Prisma.sql`
      DELETE FROM outbox_events WHERE id IN (
        SELECT e.id FROM outbox_events e JOIN sales s ON s.id = e.sale_id
        WHERE ${KEPT_SINCE} >
          CASE e.kind WHEN 'release' THEN greatest(${LAST_DUE}, e.delivered_at) ELSE coalesce(e.delivered_at, e.created_at) END
          AND (e.kind <> 'release' OR e.delivered_at IS NOT NULL)
        LIMIT ${PRUNE_BATCH})`);
    if (deleted < PRUNE_BATCH) return;
  }
}

function eventOf(row: ReleaseEventRow): ReleaseEvent {
  return { id: row.id, saleId: row.sale_id, claimId: row.order_id, ...row.payload };
}
