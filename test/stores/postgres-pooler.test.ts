import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { connectDatabase, type Database, Prisma, type Transaction } from '#core/postgres/database.js';
import { refuseUnfitDatabase } from '#core/postgres/fitness.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { type PgBouncer, type PoolMode, startPgBouncer } from '#stack/pooler/pgbouncer.js';
import { type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { expectEachUnitOnce, expectProof, impatient, rush, survivors } from '../support/rush.js';
import { startTestStack } from '../support/stack.js';

// PgBouncer with its default settings in front of Postgres: it drops no setting unnoticed, and keeps none for another client.

const UNITS = 20;
const CROWD = 200;
const PRICE_MINOR = 4_900;

let folder: string;
let postgres: PostgresServer;
let empty: string;
beforeAll(async () => {
  folder = await createTemporaryFolder();
  postgres = await startPostgres({ dir: join(folder, 'postgres') });
  empty = await postgres.createDatabase('empty');
  await migrate(postgres.url);
}, 120_000);
afterAll(async () => {
  await postgres?.stop();
  await removeTemporaryFolder(folder);
});

const OURS = { statement: '5s', lock: '2s', idle: '10s', commit: 'on', zone: 'UTC' };
const READ_SETTINGS = Prisma.sql`
  SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
         current_setting('idle_in_transaction_session_timeout') AS idle,
         current_setting('synchronous_commit') AS commit, current_setting('TimeZone') AS zone`;

/** Reads the settings in a statement of the pool. */
const settingsIn = async (db: Transaction) => (await db.$queryRaw<object[]>(READ_SETTINGS))[0];

/** Reads the settings as another client of the same pool does. */
async function settingsOfOthers(url: string): Promise<object> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query(READ_SETTINGS.sql);
  await client.end();
  return rows[0];
}

describe.each<PoolMode>(['transaction', 'session'])('in %s mode', mode => {
  let pooler: PgBouncer;
  let db: Database;
  beforeAll(async () => {
    // One connection for everybody: what one client leaves behind, the next one gets.
    pooler = await startPgBouncer({ dir: join(folder, mode), databaseUrl: postgres.url, mode, poolSize: 1 });
    db = connectDatabase(pooler.through(postgres.url), { connections: 1 });
  });
  afterAll(async () => {
    await db.$disconnect();
    await pooler.stop();
  });

  test('every statement and transaction has its settings', async () => {
    await refuseUnfitDatabase(db);
    expect(await settingsIn(db)).toEqual(OURS);
    const within = await db.$transaction(async tx => [await settingsIn(tx), await settingsIn(tx)]);
    expect(within).toEqual([OURS, OURS]);
    expect(await settingsIn(db)).toEqual(OURS);
  });

  test('the settings hold after a statement or a transaction that failed', async () => {
    await expect(db.$queryRaw`SELECT 1 / ${0}::int`).rejects.toThrow('division by zero');
    await expect(db.$transaction(tx => tx.$queryRaw`SELECT 1 / ${0}::int`)).rejects.toThrow('division by zero');
    expect(await settingsIn(db)).toEqual(OURS);
  });

  test('a statement that waits for a lock gives up', async () => {
    const other = new pg.Client({ connectionString: postgres.url });
    await other.connect();
    await other.query('BEGIN; LOCK TABLE repairs');
    await expect(db.repair.count()).rejects.toThrow('lock timeout');
    await other.end();
  });

  test('no statement is prepared by name', async () => {
    await db.sale.count();
    expect(await db.$queryRaw`SELECT name FROM pg_prepared_statements`).toEqual([]);
  });

  test('a pooler without a free connection costs a query, and not the process', async () => {
    await db.$disconnect();
    const other = new pg.Client({ connectionString: pooler.through(postgres.url) });
    await other.connect();
    await other.query('BEGIN');
    await expect(db.repair.count()).rejects.toThrow('connection timeout');
    await other.end();
    expect(await settingsIn(db)).toEqual(OURS);
  });

  test('a migration is refused, and a migrated database needs none', async () => {
    await expect(migrate(pooler.through(empty))).rejects.toThrow('migrations need a direct connection');
    await db.$disconnect();
    expect(await migrate(pooler.through(postgres.url))).toEqual({ applied: [] });
  });

  test('no setting is left for the next client', async () => {
    expect(await settingsOfOthers(pooler.through(postgres.url))).toEqual(await settingsOfOthers(postgres.url));
  });
});

test('a pooler without transactions is refused in one line', async () => {
  const databaseUrl = postgres.url;
  const pooler = await startPgBouncer({ dir: join(folder, 'statement'), databaseUrl, mode: 'statement' });
  const db = connectDatabase(pooler.through(databaseUrl), { connections: 1 });
  await expect(refuseUnfitDatabase(db)).rejects.toThrow(/^DATABASE_URL leads to a pooler without transactions.*$/);
  await db.$disconnect();
  await pooler.stop();
});

test('a crowd buys through PgBouncer in transaction mode', async () => {
  const stack = await startTestStack({ workers: 2, pooler: 'transaction' });
  try {
    const saleId = await stack.createSale({ units: UNITS, standbyFactor: 0, priceMinor: PRICE_MINOR });
    const plans = impatient(CROWD, 1);
    await stack.credit(
      plans.map(({ buyerId }) => buyerId),
      PRICE_MINOR,
    );
    const buyers = await survivors(stack, saleId, rush(stack, saleId, plans));
    await expectEachUnitOnce(stack, saleId, UNITS);
    expect((await expectProof(stack, saleId, buyers)).reckoning).toMatchObject({ placed: UNITS, paid: UNITS });
  } finally {
    await stack.stop();
  }
}, 120_000);
