import { execFile } from 'node:child_process';
import { appendFile, chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type PostgresOptions, type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { createServerFolder } from '#stack/stores/server.js';
import { eventually } from '../eventually.js';

const run = promisify(execFile);

/** A session for statements of the test. */
async function withSession<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Starts a standby that follows a Postgres: a copy of its files, and its changes from then on. Commits wait for the standby,
 * so it lacks none of them when it is promoted.
 *
 * @param primaryUrl the URL of the superuser `postgres`
 * @param options the folder of the standby, and its port if it must have a certain one
 * @returns the standby, which takes no writes
 */
export async function startStandby(primaryUrl: string, options: PostgresOptions): Promise<PostgresServer> {
  const { dir } = options;
  await createServerFolder(dir);
  await withSession(primaryUrl, async client => {
    const { rows } = await client.query<{ data: string }>(`SELECT current_setting('data_directory') AS data`);
    const source = rows[0]?.data ?? '';
    const data = join(dir, 'data');
    await client.query(`SELECT pg_backup_start('standby', true)`);
    // Files of the primary come and go meanwhile, and cp reports those that it has not found.
    await run('cp', ['-a', source, data]).catch(() => undefined);
    const ended = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)');
    const { uid, gid } = await stat(source);
    for (const [name, text] of [
      ['backup_label', ended.rows[0]?.labelfile ?? ''],
      ['standby.signal', ''],
    ] as const) {
      await writeFile(join(data, name), text);
      await chown(join(data, name), uid, gid);
    }
    const { port } = new URL(primaryUrl);
    const follow = `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres application_name=standby'\n`;
    await appendFile(join(data, 'postgresql.auto.conf'), follow);
    await rm(join(data, 'postmaster.pid'), { force: true });
  });
  const standby = await startPostgres(options);
  await withSession(primaryUrl, async client => {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`);
    await client.query('SELECT pg_reload_conf()');
    await eventually(async () => {
      const { rows } = await client.query(`SELECT sync_state FROM pg_stat_replication`);
      if (rows[0]?.sync_state !== 'sync') throw new Error('the standby does not follow yet');
    });
  });
  return standby;
}

/** Makes a standby the primary. It waits for no standby of its own. */
export async function promote(url: string): Promise<void> {
  await withSession(url, async client => {
    await client.query('SELECT pg_promote()');
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = ''`);
    await client.query('SELECT pg_reload_conf()');
  });
}
