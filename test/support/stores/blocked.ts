import type { Database } from '#core/postgres/database.js';

/**
 * @param db the database
 * @param pattern what a statement is like, as LIKE has it
 * @returns how many such statements wait for a lock in this database
 */
export async function countBlocked(db: Pick<Database, '$queryRaw'>, pattern: string): Promise<number> {
  const [row] = await db.$queryRaw<{ waiting: bigint }[]>`SELECT count(*) AS waiting FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE ${pattern} AND datname = current_database()`;
  return Number(row?.waiting);
}
