import { type Database, Prisma } from '../database.js';
import { KEPT_SINCE, LAST_DUE } from '../sales.js';
import { type ReleaseRow, type Row, releaseOf } from './releases.js';

/**
 * @param db the database
 * @param olderThanMs how long ago they were written at least, in ms
 * @param limit how many, at most
 * @param afterId only events behind this one
 * @returns the oldest events that are not delivered, of sales that Redis should have
 */
export async function readDueReleases(
  db: Database,
  olderThanMs: number,
  limit: number,
  afterId: bigint,
): Promise<ReleaseRow[]> {
  const rows = await db.$queryRaw<Row[]>(Prisma.sql`
    SELECT id, sale_id, order_id, payload FROM outbox_events
    WHERE kind = 'release' AND delivered_at IS NULL AND id > ${afterId} AND created_at <= clock_timestamp() - ${olderThanMs} * interval '1 millisecond'
      AND EXISTS (SELECT FROM sales s WHERE s.id = sale_id AND ${LAST_DUE} > ${KEPT_SINCE})
    ORDER BY id LIMIT ${limit}`);
  return rows.map(releaseOf);
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
