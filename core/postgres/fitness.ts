import { ConfigError } from '../process/config.js';
import { SECOND_MS } from '../rules/clock.js';
import { READS_ONLY, TAKES_NO_WRITES } from './connection/read-only.js';
import { statementSettings } from './connection/settings.js';
import { type Database, Prisma, type Transaction } from './database.js';

/** The oldest version of Postgres that works, in the form of `server_version_num`. */
const OLDEST_VERSION = 150_000;

/** Pause between two questions to a Postgres that is not fit yet, in ms. */
const ASK_EVERY_MS = SECOND_MS;

/** The error of PgBouncer in a mode that has no transactions. */
const NO_TRANSACTIONS = /transaction blocks not allowed in statement pooling mode/;

/**
 * Returns why the processes of this version can't work with the database at the moment, or undefined when they can.
 *
 * @throws Prisma's error when Postgres does not answer
 */
export async function reasonAgainstDatabase(db: Database): Promise<string | undefined> {
  const [row] = await db.$queryRaw<
    { sales: boolean; leases: boolean; rights: boolean; readonly: boolean }[]
  >(Prisma.sql`
    SELECT to_regclass('sales') IS NOT NULL AS sales, to_regclass('actor_leases') IS NOT NULL AS leases,
           has_table_privilege(to_regclass('actor_leases'), 'INSERT') AS rights,
           ${Prisma.raw(READS_ONLY)} AS readonly`);
  if (row?.readonly) return TAKES_NO_WRITES;
  if (!row?.sales) return 'the database has no tables yet: run `npm run cli -- migrate` first';
  if (!row.leases) return 'the database lacks the newest migrations: run `npm run cli -- migrate` first';
  return row.rights ? undefined : 'the role lacks rights on new tables: run deploy/postgres/rights.sql';
}

/**
 * Refuses a Postgres that can't work with this version whatever happens: too old, or behind a pooler that loses settings
 * or transactions.
 *
 * @throws ConfigError that says what to change, in one line; Prisma's error when Postgres does not answer
 */
export async function refuseUnfitDatabase(db: Database): Promise<void> {
  const [server] = await db.$queryRaw<{ number: number; version: string }[]>`
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version`;
  if (server && server.number < OLDEST_VERSION) {
    throw new ConfigError(`DATABASE_URL leads to a Postgres ${server.version}: use version 15 or later`);
  }
  const lost = await readLostSettings(db).catch(error => {
    if (error instanceof Error && NO_TRANSACTIONS.test(error.message)) {
      throw new ConfigError('DATABASE_URL leads to a pooler without transactions: set pool_mode to transaction');
    }
    throw error;
  });
  if (lost.length > 0) {
    throw new ConfigError(
      `DATABASE_URL leads to a pooler that loses the settings ${lost.join(', ')}: connect directly`,
    );
  }
}

/** Reads which settings do not hold in a statement and in a transaction. */
async function readLostSettings(db: Database): Promise<string[]> {
  const alone = await readWrongSettings(db);
  return db.$transaction(async tx => [...new Set([...alone, ...(await readWrongSettings(tx))])]);
}

async function readWrongSettings(db: Transaction): Promise<string[]> {
  const settings = Object.entries(statementSettings(undefined));
  const rows = settings.map(([name, value]) => Prisma.sql`(${name}, ${value})`);
  const wrong = await db.$queryRaw<{ name: string }[]>(Prisma.sql`
    SELECT name FROM (VALUES ${Prisma.join(rows)}) AS settings (name, value) WHERE current_setting(name) <> value`);
  return wrong.map(({ name }) => name);
}

/**
 * Waits until the database can be worked with. Postgres may start, and be migrated, after this process.
 *
 * @param onFailure receives an error for each question that has no answer, or a wrong one
 * @throws ConfigError for a Postgres that will never do
 */
export async function waitForFitDatabase(db: Database, onFailure: (error: unknown) => void): Promise<void> {
  for (;;) {
    try {
      await refuseUnfitDatabase(db);
      const reason = await reasonAgainstDatabase(db);
      if (reason === undefined) return;
      onFailure(new Error(reason));
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      onFailure(error);
    }
    await new Promise(resolve => setTimeout(resolve, ASK_EVERY_MS));
  }
}
