import { execFile } from 'node:child_process';
import { appendFile, chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { type PostgresOptions, type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { eventually } from '../eventually.js';

/** A recovery that reaches the end of what the server has. It ends on a new timeline, as a promotion does. */
const RECOVER = `restore_command = 'false'\nrecovery_target_timeline = 'current'\n`;

/** Returns the first 8 digits in the name of a timeline's files. */
const nameOf = (timeline: number): string => timeline.toString(16).toUpperCase().padStart(8, '0');

async function ask<T>(url: string, question: string): Promise<T | undefined> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ answer: T }>(`SELECT ${question} AS answer`);
    return rows[0]?.answer;
  } finally {
    await client.end();
  }
}

/** Creates a Postgres that is stopped, and returns the folder of its data. */
export async function createStopped(options: PostgresOptions): Promise<{ data: string; port: number }> {
  const server = await startPostgres(options);
  const data = String(await ask(server.url, `current_setting('data_directory')`));
  await server.stop();
  return { data, port: server.port };
}

/**
 * Starts a copy of a Postgres that takes writes on a certain timeline, as one does that was promoted again and again.
 *
 * @param original the folder of the data of the server that is copied, which is stopped
 * @param timeline at least 2
 */
export async function startOnTimeline(
  options: PostgresOptions,
  original: string,
  timeline: number,
): Promise<PostgresServer> {
  const { data, port } = await createStopped(options);
  await rm(data, { recursive: true });
  await promisify(execFile)('cp', ['-a', original, data]);
  const { uid, gid } = await stat(data);
  const write = async (name: string) => {
    await writeFile(join(data, name), '');
    await chown(join(data, name), uid, gid);
  };
  // Postgres takes the first timeline of which it has no history.
  for (let known = 2; known < timeline; known += 1) await write(`pg_wal/${nameOf(known)}.history`);
  await appendFile(join(data, 'postgresql.auto.conf'), RECOVER);
  await write('recovery.signal');
  const server = await startPostgres({ ...options, port });
  await eventually(async () => {
    if (await ask<boolean>(server.url, 'pg_is_in_recovery()')) throw new Error('the recovery has not ended yet');
  });
  const name = await ask<string>(server.url, 'left(pg_walfile_name(pg_current_wal_lsn()), 8)');
  if (name !== nameOf(timeline)) throw new Error(`Postgres is on timeline ${name}`);
  return server;
}
