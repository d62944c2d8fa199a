import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { withSchemaEngine } from '#core/postgres/migrate/schema-engine.js';
import { checkout } from '#core/process/checkout.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';

let stores: PrivateStores;

beforeAll(async () => {
  stores = await startPrivateStores();
});

afterAll(async () => {
  await stores.stop();
});

const createDatabase = (name: string): Promise<string> => stores.postgres.createDatabase(name);

/** The first column of each row. */
async function column(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.map((row: unknown[]) => row[0]);
  } finally {
    await client.end();
  }
}

const SCHEMA = join(checkout, 'prisma', 'schema.prisma');
const OUR_SCHEMA = readFileSync(SCHEMA, 'utf8');

/**
 * What schema.prisma has that a migrated database has not, or the reverse. Only what Prisma's schema can express is compared: the
 * engine passes over CHECKs, triggers and partial indexes.
 *
 * @returns the SQL that would make the database match the schema; empty when they agree
 */
async function drift(url: string, schema = OUR_SCHEMA): Promise<string> {
  const files = [{ path: SCHEMA, content: schema }];
  const { stdout } = await withSchemaEngine(url, engine =>
    engine.diff({
      from: { tag: 'schemaDatasource', configDir: dirname(SCHEMA), files },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    }),
  );
  const sql = stdout ?? '';
  return sql.trim() === '-- This is an empty migration.' ? '' : sql;
}

describe('migrating', () => {
  test('an empty database gets every migration, and none a second time', async () => {
    const url = await createDatabase('twice');
    expect((await migrate(url)).applied).toContain('0001_init');
    expect((await migrate(url)).applied).toEqual([]);
  });

  test('of several processes that start together one does the work', async () => {
    const url = await createDatabase('together');
    const outcomes = await Promise.all([migrate(url), migrate(url), migrate(url)]);
    const applied = outcomes.flatMap(outcome => outcome.applied);
    expect(applied).toEqual([...new Set(applied)]);
    expect(applied).toEqual(
      await column(url, 'SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1'),
    );
  });

  test('a database that is not there is an error that names it', async () => {
    const url = new URL(await createDatabase('present'));
    url.pathname = '/absent';
    await expect(migrate(url.href)).rejects.toThrow('database "absent" does not exist');
  });
});

describe('schema.prisma and the migrations', () => {
  test('agree', async () => {
    const url = await createDatabase('agree');
    await migrate(url);
    expect(await drift(url)).toBe('');
  });

  test('are seen to differ when a column, an index or a foreign key does', async () => {
    const url = await createDatabase('differ');
    await migrate(url);
    const changed = (from: string, to: string) => drift(url, OUR_SCHEMA.replace(from, to));
    expect(await changed('model Repair {', 'model Repair {\n  extra Int')).toContain('ADD COLUMN     "extra"');
    expect(await changed('@@index([saleId, buyerId])', '')).toContain('DROP INDEX');
    expect(await changed('onDelete: Restrict', 'onDelete: Cascade')).toContain('ON DELETE CASCADE');
  });

  // Prisma's schema can't say these and the comparison passes over them, so they are named here.
  test('what only SQL can say is in the migrated database', async () => {
    const url = await createDatabase('constraints');
    await migrate(url);
    const partial = await column(
      url,
      `SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %' ORDER BY 1`,
    );
    expect(partial).toEqual([
      'orders_live_buyer',
      'orders_live_unit',
      'orders_overdue',
      'outbox_events_due',
      'outbox_events_undelivered',
      'outbox_events_untold',
      'payments_one_attempt',
      'payments_to_ask',
      'payments_to_settle',
    ]);
    const triggers = await column(url, 'SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1');
    expect(triggers).toEqual(['orders_only_forward', 'orders_tell_shop_of_change', 'orders_tell_shop_of_new']);
    const guarded = await column(
      url,
      `SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
       WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1`,
    );
    expect(guarded).toEqual([
      'accounts',
      'orders',
      'outbox_events',
      'payments',
      'sales',
      'transfers',
      'withdrawn_units',
    ]);
  });
});
