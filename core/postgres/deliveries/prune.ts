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

/** Most rows that one statement reads, and deletes. It takes about 30 ms. */
const PRUNE_BATCH = 5_000;

/**
 * Deletes shop notices `KEEP_DAYS` after the shop accepted them, or after their creation if it never did. Deletes
 * delivered releases `KEEP_DAYS` after delivery and after their sale's last payment deadline. Younger releases stay,
 * because a Redis that was restored from an older copy may need them again.
 *
 * The rows are read in the order of their ids, which is that of their creation but for some seconds. So the walk ends at
 * the first batch without an old row, and needs no index of its own.
 */
export async function pruneDeliveries(db: Database): Promise<void> {
  let after: bigint | null = 0n;
  while (after !== null) {
    const [row]: { last: bigint | null }[] = await db.$queryRaw(Prisma.sql`
      WITH batch AS (
        SELECT id, kind, sale_id, created_at, delivered_at FROM outbox_events WHERE id > ${after} ORDER BY id LIMIT ${PRUNE_BATCH}),
      gone AS (
        DELETE FROM outbox_events WHERE id IN (
          SELECT e.id FROM batch e JOIN sales s ON s.id = e.sale_id
          WHERE ${KEPT_SINCE} >
            CASE e.kind WHEN 'release' THEN greatest(${LAST_DUE}, e.delivered_at) ELSE coalesce(e.delivered_at, e.created_at) END
            AND (e.kind <> 'release' OR e.delivered_at IS NOT NULL)))
      SELECT CASE WHEN min(created_at) < ${KEPT_SINCE} THEN max(id) END AS last FROM batch`);
    after = row?.last ?? null;
  }
}
