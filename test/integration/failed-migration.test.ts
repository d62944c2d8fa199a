import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { inBriefTransaction } from '#core/postgres/migrate/brief-lock.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { checkout } from '#core/process/checkout.js';
import { eventually } from '../support/eventually.js';
import { useMigrationFolders } from '../support/migrate/migration-folder.js';
import { readColumn } from '../support/migrate/read-column.js';
import { createEmptyDatabase } from '../support/stores/shared-postgres.js';

const writeMigrations = useMigrationFolders();

const sessions: pg.Client[] = [];
afterEach(() => Promise.all(sessions.splice(0).map(session => session.end())));

/** Opens a transaction, which stays open until its session ends. */
async function openTransaction(url: string, sql: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: url });
  sessions.push(session);
  await session.connect();
  await session.query(`BEGIN; ${sql}`);
  return session;
}

const FIRST = 'CREATE TABLE gate ();';
const TABLES = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`;
const RECORDED = 'SELECT migration_name FROM _prisma_migrations ORDER BY started_at';
const OTHER_SESSIONS = `
  SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
const WAITING = `
  SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;

describe('a migration that fails half-way', () => {
  test('a failed migration is named with its reason, leaves nothing, and can be corrected', async () => {
    const url = await createEmptyDatabase();
    const folder = await writeMigrations({
      '0001_gate': FIRST,
      '0002_half': 'CREATE TABLE half (); SELECT 1 / 0;',
      '0003_after': 'CREATE TABLE after ();',
    });
    await expect(migrate(url, folder)).rejects.toThrow('migration 0002_half failed: division by zero');
    expect(await readColumn(url, TABLES)).toEqual(['_prisma_migrations', 'gate']);
    expect(await readColumn(url, RECORDED)).toEqual(['0001_gate']);

    await writeFile(join(folder, '0002_half', 'migration.sql'), 'CREATE TABLE half ();');
    expect(await migrate(url, folder)).toEqual({ applied: ['0002_half', '0003_after'] });
    expect(await readColumn(url, TABLES)).toEqual(['_prisma_migrations', 'after', 'gate', 'half']);
  });

  test('a migration leaves nothing when its process is killed before the COMMIT', async () => {
    const url = await createEmptyDatabase();
    const folder = await writeMigrations({ '0001_gate': FIRST });
    await migrate(url, folder);
    const whole = await writeMigrations({
      '0001_gate': FIRST,
      '0002_half': 'CREATE TABLE half (); LOCK TABLE gate; CREATE TABLE other_half ();',
    });
    const gate = await openTransaction(url, 'LOCK TABLE gate');
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--import', 'tsx', 'test/support/migrate/migrate-folder.ts', url, whole],
      { cwd: checkout, env: { PATH: process.env.PATH, TSX_DISABLE_CACHE: '1' }, stdio: 'inherit' },
    );
    const exited = once(child, 'exit');
    await eventually(async () => expect(await readColumn(url, WAITING)).toHaveLength(1));
    child.kill('SIGKILL');
    await exited;
    // Postgres runs the script to its end, but no client commits the transaction.
    await gate.end();
    await eventually(async () => expect(await readColumn(url, OTHER_SESSIONS)).toEqual([]));
    expect(await readColumn(url, TABLES)).toEqual(['_prisma_migrations', 'gate']);
    expect(await readColumn(url, RECORDED)).toEqual(['0001_gate']);
    expect(await migrate(url, whole)).toEqual({ applied: ['0002_half'] });
  });
});

describe('a migration that needs a table which others use', () => {
  const WIDER = 'ALTER TABLE gate ADD COLUMN width INT;';

  test('a long query lets writers pass while the migration waits for it', async () => {
    const url = await createEmptyDatabase();
    await migrate(url, await writeMigrations({ '0001_gate': 'CREATE TABLE gate (number INT);' }));
    const folder = await writeMigrations({ '0001_gate': 'CREATE TABLE gate (number INT);', '0002_wider': WIDER });
    const reader = await openTransaction(url, 'SELECT FROM gate');
    const outcome = migrate(url, folder);
    // The migration waits for the reader, and the writer waits behind the migration.
    await eventually(async () => expect(await readColumn(url, WAITING)).toHaveLength(1));
    await readColumn(`${url}?options=-c%20lock_timeout%3D30s`, 'INSERT INTO gate VALUES (1)');
    await reader.query('COMMIT');
    expect(await outcome).toEqual({ applied: ['0002_wider'] });
    expect(await readColumn(url, RECORDED)).toEqual(['0001_gate', '0002_wider']);
    expect(await readColumn(url, 'SELECT width FROM gate')).toEqual([null]);
  }, 90_000);

  test('a table that is never free ends the migration with its reason, and nothing is left', async () => {
    const url = await createEmptyDatabase();
    await migrate(url, await writeMigrations({ '0001_gate': FIRST }));
    await openTransaction(url, 'SELECT FROM gate');
    const client = await openTransaction(url, 'COMMIT');
    const work = async () => void (await client.query(`CREATE TABLE half (); ${WIDER}`));
    await expect(inBriefTransaction(client, work, 0)).rejects.toThrow(
      'other sessions have held a lock that it needs for over 0 s: see pg_stat_activity for long transactions',
    );
    expect(await readColumn(url, TABLES)).toEqual(['_prisma_migrations', 'gate']);
  });
});

describe('a transaction with brief locks', () => {
  /** Runs work that fails with a SQLSTATE the first time, after it has written. */
  async function failOnce(state: string) {
    const url = await createEmptyDatabase();
    const client = await openTransaction(url, 'COMMIT');
    let tries = 0;
    const work = async () => {
      tries += 1;
      await client.query('CREATE TABLE half ()');
      if (tries === 1) await client.query(`DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '${state}'; END $$`);
    };
    const outcome = await inBriefTransaction(client, work).catch(String);
    return { url, client, tries: () => tries, outcome };
  }

  test.each(['40P01', '55P03'])('is tried again from its beginning after the error %s', async state => {
    const { url, client, tries } = await failOnce(state);
    expect(tries()).toBe(2);
    expect(await readColumn(url, TABLES)).toEqual(['half']);
    // The time-out was one of the transaction, and not of the session.
    expect((await client.query('SHOW lock_timeout')).rows).toEqual([{ lock_timeout: '0' }]);
  });

  test.each(['23514', '57014'])('is not tried again after the error %s', async state => {
    const { url, client, tries, outcome } = await failOnce(state);
    expect([tries(), outcome]).toEqual([1, 'error: as asked']);
    await client.query('ROLLBACK');
    expect(await readColumn(url, TABLES)).toEqual([]);
  });
});

describe('the record of migrations', () => {
  test('a migration that was changed after it was applied is refused', async () => {
    const url = await createEmptyDatabase();
    await migrate(url, await writeMigrations({ '0001_gate': FIRST }));
    const changed = await writeMigrations({ '0001_gate': `${FIRST} `, '0002_after': 'CREATE TABLE after ();' });
    await expect(migrate(url, changed)).rejects.toThrow(
      'migration 0001_gate was changed after it was applied: restore its file, and add a new migration',
    );
    expect(await readColumn(url, TABLES)).toEqual(['_prisma_migrations', 'gate']);
  });

  test('line ends of Windows and Unix have the same checksum', async () => {
    const [unix, windows] = [`-- A gate.\n${FIRST}\n`, `-- A gate.\r\n${FIRST}\r\n`];
    for (const [before, after] of [
      [unix, windows],
      [windows, unix],
    ] as const) {
      const url = await createEmptyDatabase();
      await migrate(url, await writeMigrations({ '0001_gate': before }));
      expect(await migrate(url, await writeMigrations({ '0001_gate': after }))).toEqual({ applied: [] });
    }
  });

  test('an older build runs on a newer database', async () => {
    const url = await createEmptyDatabase();
    await migrate(url, await writeMigrations({ '0001_gate': FIRST, '0002_newer': 'CREATE TABLE newer ();' }));
    expect(await migrate(url, await writeMigrations({ '0001_gate': FIRST }))).toEqual({ applied: [] });
  });
});

describe('a migration outside a transaction', () => {
  const INDEX = '-- outside a transaction\nCREATE INDEX CONCURRENTLY gate_number ON gate (number);\n';
  const GATE = 'CREATE TABLE gate (number INT);';
  const VALID = `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('gate_number')`;

  test('an index is built while writers write and other runs wait for the lock', async () => {
    const url = await createEmptyDatabase();
    await migrate(url, await writeMigrations({ '0001_gate': GATE }));
    const folder = await writeMigrations({ '0001_gate': GATE, '0002_index': INDEX });
    const writer = await openTransaction(url, 'INSERT INTO gate VALUES (1)');
    const outcomes = Promise.all([migrate(url, folder), migrate(url, folder), migrate(url, folder)]);
    // The build waits for the writer, and no other session waits for a lock.
    await eventually(async () => expect(await readColumn(url, WAITING)).toHaveLength(1));
    await readColumn(`${url}?options=-c%20lock_timeout%3D1s`, 'INSERT INTO gate VALUES (2)');
    await writer.query('COMMIT');
    expect((await outcomes).flatMap(({ applied }) => applied)).toEqual(['0002_index']);
    expect(await readColumn(url, VALID)).toEqual([true]);
  });

  test('an unfinished migration is refused until the operator has followed the message', async () => {
    const url = await createEmptyDatabase();
    const filled = `${GATE} INSERT INTO gate VALUES (1), (1);`;
    const unique = INDEX.replace('INDEX', 'UNIQUE INDEX');
    const folder = await writeMigrations({ '0001_gate': filled, '0002_index': unique });
    await expect(migrate(url, folder)).rejects.toThrow('migration 0002_index failed: could not create unique index');
    expect(await readColumn(url, VALID)).toEqual([false]);

    const refusal = await migrate(url, folder).catch(String);
    expect(refusal).toContain('migration 0002_index began and did not finish: undo what it left');
    const update = /`(UPDATE .*)`/.exec(String(refusal))?.[1] ?? '';
    await readColumn(url, 'DROP INDEX gate_number');
    await readColumn(url, 'DELETE FROM gate');
    await readColumn(url, update);
    expect(await migrate(url, folder)).toEqual({ applied: ['0002_index'] });
    expect(await readColumn(url, VALID)).toEqual([true]);
  });

  test('Postgres refuses a second statement outside a transaction', async () => {
    const url = await createEmptyDatabase();
    const folder = await writeMigrations({ '0001_gate': GATE, '0002_index': `${INDEX}SELECT 1;` });
    await expect(migrate(url, folder)).rejects.toThrow('cannot run inside a transaction block');
    expect(await readColumn(url, VALID)).toEqual([]);
  });
});
