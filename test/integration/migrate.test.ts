import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { MIGRATION_LOCK } from '#core/postgres/migrate/lock.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { MIGRATIONS, readMigrations } from '#core/postgres/migrate/migrations.js';
import { cli } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { deployByEngine, diagnoseByEngine, driftOf, OUR_SCHEMA } from '../support/migrate/engine-view.js';
import { readColumn } from '../support/migrate/read-column.js';
import { createEmptyDatabase } from '../support/stores/shared-postgres.js';

const NAMES = readMigrations(MIGRATIONS).map(({ name }) => name);

describe('migrating', () => {
  test('an empty database gets every migration, and a second run applies none', async () => {
    const url = await createEmptyDatabase();
    expect(await migrate(url)).toEqual({ applied: NAMES });
    expect(await migrate(url)).toEqual({ applied: [] });
  });

  test('one of several runs that start together applies the migrations', async () => {
    const url = await createEmptyDatabase();
    const outcomes = await Promise.all([migrate(url), migrate(url), migrate(url)]);
    expect(outcomes.map(({ applied }) => applied.length).sort()).toEqual([0, 0, NAMES.length]);
  });

  test('one of two processes that start together applies the migrations, and the other succeeds', async () => {
    const url = await createEmptyDatabase();
    const gate = new pg.Client({ connectionString: url });
    await gate.connect();
    await gate.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    const both = Promise.all([1, 2].map(() => cli(['migrate'], { DATABASE_URL: url })));
    await eventually(async () => {
      const asking = `SELECT pid FROM pg_stat_activity
        WHERE query LIKE '%pg_try_advisory_lock%' AND datname = current_database() AND pid <> pg_backend_pid()`;
      expect(await readColumn(url, asking)).toHaveLength(2);
    });
    await gate.end();
    expect((await both).map(({ stdout }) => stdout).sort()).toEqual([`applied ${NAMES.join(', ')}\n`, 'up to date\n']);
    expect(await readColumn(url, 'SELECT migration_name FROM _prisma_migrations ORDER BY 1')).toEqual(NAMES);
  });

  test('the error of a missing database names it', async () => {
    const url = new URL(await createEmptyDatabase());
    url.pathname = '/absent';
    await expect(migrate(url.href)).rejects.toThrow('database "absent" does not exist');
  });

  test('a database with foreign tables is refused and stays the same', async () => {
    const url = await createEmptyDatabase();
    await readColumn(url, 'CREATE TABLE foreign_table ()');
    await expect(migrate(url)).rejects.toThrow('use a database of its own');
    expect(await readColumn(url, `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)).toEqual([
      'foreign_table',
    ]);
  });
});

describe("Prisma's engine", () => {
  const SHAPE = `
    SELECT concat_ws(' ', column_name, data_type, character_maximum_length, is_nullable, column_default)
    FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`;
  const KEYS = `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '_prisma_migrations'::regclass ORDER BY 1`;
  const ROWS = `
    SELECT concat_ws(' ', migration_name, checksum, applied_steps_count, logs, finished_at >= started_at, rolled_back_at)
    FROM _prisma_migrations ORDER BY 1`;

  test('the engine finds nothing to do in a migrated database', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    expect(await diagnoseByEngine(url)).toEqual({ history: null, failedMigrationNames: [], editedMigrationNames: [] });
    expect(await deployByEngine(url)).toEqual([]);
  });

  test('a database that the engine has migrated needs no migration', async () => {
    const url = await createEmptyDatabase();
    expect(await deployByEngine(url)).toEqual(NAMES);
    expect(await migrate(url)).toEqual({ applied: [] });
  });

  test('the engine refuses a database with foreign tables', async () => {
    const url = await createEmptyDatabase();
    await readColumn(url, 'CREATE TABLE foreign_table ()');
    await expect(deployByEngine(url)).rejects.toThrow('not empty');
  });

  test('the engine and our code write the same record of migrations', async () => {
    const [ours, theirs] = [await createEmptyDatabase(), await createEmptyDatabase()];
    await Promise.all([migrate(ours), deployByEngine(theirs)]);
    for (const question of [SHAPE, KEYS, ROWS]) {
      expect(await readColumn(ours, question)).toEqual(await readColumn(theirs, question));
    }
  });
});

describe('schema.prisma and the migrations', () => {
  test('schema.prisma agrees with the migrated database', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    expect(await driftOf(url)).toBe('');
  });

  test('the comparison finds a different column, index and foreign key', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    const changed = (from: string, to: string) => driftOf(url, OUR_SCHEMA.replace(from, to));
    expect(await changed('model Repair {', 'model Repair {\n  extra Int')).toContain('ADD COLUMN     "extra"');
    expect(await changed('@@index([saleId, buyerId])', '')).toContain('DROP INDEX');
    expect(await changed('onDelete: Restrict', 'onDelete: Cascade')).toContain('ON DELETE CASCADE');
  });

  // Prisma's schema can't express these constraints, and the comparison skips them. So they are named here.
  test('the migrated database has the constraints that only SQL can express', async () => {
    const url = await createEmptyDatabase();
    await migrate(url);
    const partial = await readColumn(
      url,
      `SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% WHERE %' ORDER BY 1`,
    );
    expect(partial).toEqual([
      'disputes_open',
      'draws_undealt',
      'orders_came_back',
      'orders_due_in_turn',
      'orders_live_buyer',
      'orders_live_unit',
      'outbox_events_dead',
      'outbox_events_in_turn',
      'outbox_events_undelivered',
      'outbox_events_untold',
      'payments_odd',
      'payments_one_attempt',
      'payments_to_ask',
      'payments_to_refund',
      'payments_to_settle',
    ]);
    const triggers = await readColumn(url, 'SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1');
    expect(triggers).toEqual([
      'disputes_ask_for_shop_webhook',
      'disputes_tell_shop_of_change',
      'disputes_tell_shop_of_new',
      'draws_kept',
      'orders_ask_for_shop_webhook',
      'orders_only_forward',
      'orders_tell_shop_of_change',
      'orders_tell_shop_of_new',
      'orders_tell_shop_of_part',
      'transfers_within_capture',
    ]);
    const guarded = await readColumn(
      url,
      `SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
       WHERE contype = 'c' AND connamespace = 'public'::regnamespace ORDER BY 1`,
    );
    expect(guarded).toEqual([
      'accounts',
      'books_checkpoint',
      'books_findings',
      'disputes',
      'draws',
      'entries',
      'orders',
      'outbox_events',
      'payments',
      'sales',
      'shop_webhook',
      'transfers',
      'withdrawn_units',
    ]);
    const unchecked = `SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND NOT convalidated`;
    expect(await readColumn(url, unchecked)).toEqual([]);
  });
});
