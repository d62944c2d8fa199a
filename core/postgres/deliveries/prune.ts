import { type Database, Prisma } from '../database.js';
import { KEPT_SINCE, LAST_DUE } from '../sales.js';

/**
 * Closes the open releases of sales that Redis no longer keeps, such as those of a very late refund. Redis has no unit
 * of these sales left to free.
 */
export async function closeDeliveries(db: Database): Promise<void> {
  await db.$executeRaw(Prisma.sql`
    UPDATE outbox_events SET delivered_at = clock_timestamp()
    WHERE kind = 'release' AND delivered_at IS NULL
      AND EXISTS (SELECT FROM sales s WHERE s.id = sale_id AND ${LAST_DUE} <= ${KEPT_SINCE})`);
}

/** Most rows deleted by one statement. Two million rows took 4.5 s (measured), and a statement may take 5 s. */
const PRUNE_BATCH = 100_000;

/**
 * Deletes shop notices `KEEP_DAYS` after the shop accepted them, or after their creation if it never did. Deletes
 * delivered releases `KEEP_DAYS` after delivery and after their sale's last payment deadline. Younger releases stay,
 * because a Redis that was restored from an older copy may need them again.
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
