import { type Database, Prisma } from '../database.js';

/**
 * Reads whether the database has tables. Without them it has to be migrated.
 *
 * @throws what Prisma throws when Postgres does not answer
 */
export async function isMigrated(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<{ table: string | null }[]>(Prisma.sql`SELECT to_regclass('sales')::text AS table`);
  return Boolean(row?.table);
}
