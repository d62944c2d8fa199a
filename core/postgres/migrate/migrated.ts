import { type Database, Prisma } from '../database.js';

/**
 * Tells whether the database has the table `sales`. Without it, the database has to be migrated.
 *
 * @throws Prisma's error when Postgres does not answer
 */
export async function isMigrated(db: Database): Promise<boolean> {
  const [row] = await db.$queryRaw<{ table: string | null }[]>(Prisma.sql`SELECT to_regclass('sales')::text AS table`);
  return Boolean(row?.table);
}
