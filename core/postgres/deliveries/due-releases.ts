import { type Database, Prisma } from '../database.js';
import { NOW } from '../now.js';
import { KEPT_SINCE, LAST_DUE } from '../sales.js';
import { type ReleaseRow, type Row, releaseOf } from './releases.js';

/**
 * Reads the oldest releases that were not carried out in Redis, of sales that Redis still keeps. A release frees a unit
 * and its buyer.
 *
 * @returns at most `limit` rows, in the order of their ids
 */
export async function readDueReleases(
  db: Database,
  { olderThanMs, limit, afterId }: { olderThanMs: number; limit: number; afterId: bigint },
): Promise<ReleaseRow[]> {
  const rows = await db.$queryRaw<Row[]>(Prisma.sql`
    SELECT id, sale_id, order_id, payload FROM outbox_events
    WHERE kind = 'release' AND delivered_at IS NULL AND id > ${afterId} AND created_at <= ${NOW} - ${olderThanMs} * interval '1 millisecond'
      AND EXISTS (SELECT FROM sales s WHERE s.id = sale_id AND ${LAST_DUE} > ${KEPT_SINCE})
    ORDER BY id LIMIT ${limit}`);
  return rows.map(releaseOf);
}

/** Marks deliveries (releases or shop notices) as carried out. */
export async function markDelivered(db: Database, ids: bigint[]): Promise<void> {
  await db.$executeRaw(
    Prisma.sql`UPDATE outbox_events SET delivered_at = clock_timestamp()
      WHERE id = ANY(string_to_array(${ids.join(' ')}, ' ')::bigint[])`,
  );
}
