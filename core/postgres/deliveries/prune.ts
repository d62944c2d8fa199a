import { type Database, Prisma } from '../database.js';
import { KEPT_SINCE, LAST_DUE } from '../sales.js';

/**
 * Closes the releases of sales that have left Redis, a refund of much later among them: there is nothing to release any more.
 *
 * @param db the database
 */
export async function closeDeliveries(db: Database): Promise<void> {
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
export async function pruneDeliveries(db: Database): Promise<void> {
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
