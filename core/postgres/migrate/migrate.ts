import pg from 'pg';
import { readMigrations } from './migrations.js';
import { withSchemaEngine } from './schema-engine.js';

/** Any constant that no one else locks. The engine's own lock (72707369) gives up after 10 s; this one waits its turn. */
const MIGRATION_LOCK = 20_260_702;
/** A migration of a large table takes minutes; whoever waits for it longer than this should look. */
const LOCK_DEADLINE_MS = 300_000;
const CONNECT_DEADLINE_MS = 5_000;

/**
 * Applies the migrations that the database doesn't have yet, as `prisma migrate deploy` would, and records them in
 * Prisma's own table. Repeating it does nothing; of several processes that start it together, one does the work.
 *
 * @param databaseUrl of a Postgres database that exists
 * @returns the names of the migrations applied by this call, oldest first
 * @throws when the database can't be reached, a migration fails, or one failed before
 */
export async function migrate(databaseUrl: string): Promise<{ applied: string[] }> {
  return await alone(databaseUrl, () =>
    withSchemaEngine(databaseUrl, async engine => {
      const done = await engine.applyMigrations({
        migrationsList: readMigrations(),
        filters: { externalTables: [], externalEnums: [] },
      });
      return { applied: done.appliedMigrationNames };
    }),
  );
}

/** Runs `work` while no other process runs its own. The lock ends with the connection, also when we are killed. */
async function alone<T>(databaseUrl: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: CONNECT_DEADLINE_MS });
  // A connection lost in the middle shows in the engine's own; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(`SET lock_timeout = ${LOCK_DEADLINE_MS}`);
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    return await work();
  } finally {
    await client.end();
  }
}
