import { type Database, Prisma } from '../database.js';

/**
 * @param db the database
 * @returns whether its tables are there; without them it wants to be migrated
 * @throws what Prisma throws when Postgres doesn't answer
 */
export async function isMigrated(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<{ table: string | null }[]>(Prisma.sql`SELECT to_regclass('sales')::text AS table`);
  return Boolean(row?.table);
}
