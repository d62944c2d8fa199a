import { Prisma, type Transaction } from '#core/postgres/database.js';

/**
 * Stops Postgres's clock in a transaction until its end: `clock_timestamp()` returns the time of this call. So a limit of
 * time can be tried at its very edge. A function of a schema that is searched before `pg_catalog` hides the real one.
 */
export async function freezeClock(tx: Transaction): Promise<void> {
  const [row] = await tx.$queryRaw<
    { now: string }[]
  >`SELECT date_trunc('milliseconds', clock_timestamp())::text AS now`;
  await tx.$executeRaw`CREATE SCHEMA frozen`;
  await tx.$executeRaw(
    Prisma.raw(`
    CREATE FUNCTION frozen.clock_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT '${row?.now}'::timestamptz $$`),
  );
  await tx.$executeRaw`SET LOCAL search_path = frozen, public, pg_catalog`;
}
