import pg from 'pg';
import { PostgresClient } from '../connection/client.js';
import { planConnections } from '../connection/plan.js';
import { migrationSettings } from '../connection/settings.js';
import { inBriefTransaction } from './brief-lock.js';
import { type HistoryEntry, readHistory, recordFinish, recordStart } from './history.js';
import { takeMigrationLock } from './lock.js';
import { MIGRATIONS, type Migration, matchesChecksum, readMigrations } from './migrations.js';

/**
 * Applies the migrations that the database lacks, and records them as `prisma migrate deploy` does. Repeating it is a
 * no-op. Of several processes that start together, one migrates and the others wait.
 *
 * Migrations that this build does not know are passed over: in a rolling upgrade an older build starts beside a newer
 * database.
 *
 * @param databaseUrl of a Postgres database that exists
 * @param folder holds the migrations
 * @returns the names of the migrations applied by this call, oldest first
 * @throws Error when Postgres can't be reached, or only through a pooler while migrations are due, or a migration fails,
 *   was left unfinished, or was changed after it was applied
 */
export async function migrate(databaseUrl: string, folder = MIGRATIONS): Promise<{ applied: string[] }> {
  const migrations = readMigrations(folder);
  const config = planConnections(databaseUrl, migrationSettings);
  const client = new PostgresClient(config);
  try {
    await client.connect();
    if (!client.isDirect) {
      await refusePending(client, migrations);
      return { applied: [] };
    }
    await takeMigrationLock(client);
    await createSchema(client, config.plan.address.schema);
    const pending = findPending(migrations, await readHistory(client));
    for (const migration of pending) await apply(client, migration);
    return { applied: pending.map(({ name }) => name) };
  } finally {
    // When the session ends, Postgres rolls back an uncommitted migration and frees the migration lock.
    await client.end();
  }
}

/**
 * Refuses to migrate through a pooler such as PgBouncer. The migration lock belongs to a session, and there the next
 * statement may have another one.
 */
async function refusePending(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`,
  );
  if (rows[0]?.exists && findPending(migrations, await readHistory(client)).length === 0) return;
  throw new Error('migrations need a direct connection, and DATABASE_URL leads to a pooler');
}

/** Creates the schema of the tables unless it exists. To look needs no right to create one. */
async function createSchema(client: pg.Client, schema: string | undefined): Promise<void> {
  if (schema === undefined) return;
  const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
  if (rowCount === 0) await client.query(`CREATE SCHEMA ${pg.escapeIdentifier(schema)}`);
}

function findPending(migrations: readonly Migration[], history: readonly HistoryEntry[]): Migration[] {
  const unfinished = history.find(({ finished }) => !finished);
  if (unfinished) throw new Error(describeUnfinished(unfinished.name));
  const checksums = new Map(history.map(({ name, checksum }) => [name, checksum]));
  return migrations.filter(({ name, script }) => {
    const checksum = checksums.get(name);
    if (checksum !== undefined && !matchesChecksum(script, checksum)) {
      throw new Error(`migration ${name} was changed after it was applied: restore its file, and add a new migration`);
    }
    return checksum === undefined;
  });
}

function describeUnfinished(name: string): string {
  const row = `migration_name = ${pg.escapeLiteral(name)} AND finished_at IS NULL`;
  const update = `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE ${row}`;
  return `migration ${name} began and did not finish: undo what it left, run \`${update}\`, then migrate again`;
}

/**
 * Runs a migration and records it in _prisma_migrations. Both are one transaction, unless the script's first line says
 * that it must run outside one.
 */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const { name, outsideTransaction } = migration;
  try {
    if (outsideTransaction) await run(client, migration);
    else await inBriefTransaction(client, () => run(client, migration));
  } catch (error) {
    throw new Error(`migration ${name} failed: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

async function run(client: pg.Client, migration: Migration): Promise<void> {
  const id = await recordStart(client, migration);
  // The script is sent whole: Postgres splits it into statements, and knows where a function's body ends.
  await client.query(migration.script);
  await recordFinish(client, id);
}
