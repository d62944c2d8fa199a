import type { Database } from '#core/postgres/database.js';

/**
 * Counts the statements of this database that wait for a lock.
 *
 * @param pattern matches the statements, in the syntax of LIKE
 */
export async function countBlocked(db: Pick<Database, '$queryRaw'>, pattern: string): Promise<number> {
  const [row] = await db.$queryRaw<{ waiting: bigint }[]>`SELECT count(*) AS waiting FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE ${pattern} AND datname = current_database()`;
  return Number(row?.waiting);
}
