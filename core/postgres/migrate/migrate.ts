import pg from 'pg';
import { inBriefTransaction } from './brief-lock.js';
import { type HistoryEntry, readHistory, recordFinish, recordStart } from './history.js';
import { takeMigrationLock } from './lock.js';
import { MIGRATIONS, type Migration, matchesChecksum, readMigrations } from './migrations.js';

const CONNECT_DEADLINE_MS = 5_000;

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
 * @throws Error when Postgres can't be reached, or a migration fails, was left unfinished, or was changed after it was
 * applied
 */
export async function migrate(databaseUrl: string, folder = MIGRATIONS): Promise<{ applied: string[] }> {
  const migrations = readMigrations(folder);
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_DEADLINE_MS,
    keepAlive: true,
  });
  // A lost connection shows in the next query. Without this listener, the client's error would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await takeMigrationLock(client);
    const pending = findPending(migrations, await readHistory(client));
    for (const migration of pending) await apply(client, migration);
    return { applied: pending.map(({ name }) => name) };
  } finally {
    // When the session ends, Postgres rolls back an uncommitted migration and frees the migration lock.
    await client.end();
  }
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
