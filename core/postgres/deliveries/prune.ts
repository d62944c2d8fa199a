import { type Database, Prisma } from '../database.js';
import { KEPT_SINCE, LAST_DUE } from '../sales.js';

/**
 * Closes the releases of sales that have left Redis, such as those of a very late refund: nothing is left to release.
 */
export async function closeDeliveries(db: Database): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET delivered_at = clock_timestamp()
    WHERE kind = 'release' AND delivered_at IS NULL
      AND EXISTS (SELECT FROM sales s WHERE s.id = sale_id AND ${LAST_DUE} <= ${KEPT_SINCE})`);
}

/**
 * Most rows deleted by one statement, to stay within the statement's time limit: two million rows took 4.5 s of 5 s
 * (measured).
 */
const PRUNE_BATCH = 100_000;

/**
 * Deletes old deliveries: notices that the shop accepted, or ignored for as long, and releases of sales that ended as
 * long ago. Younger releases stay, because an older copy of Redis may need them again.
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
