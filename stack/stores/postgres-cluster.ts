import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startGuarded, type User } from '../processes/guarded-process.js';
import { untilUnoccupied } from './occupant.js';
import type { Binaries } from './postgres-binaries.js';

/** initdb takes 0.7 s; a minute is a machine that does nothing else. */
const INIT_DEADLINE_MS = 60_000;

/** The environment of Postgres: none of ours, so that no PG… variable of the user changes what it does. */
export const POSTGRES_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

async function initdb(binaries: Binaries, home: string, data: string, user: User | undefined): Promise<void> {
  const logFile = join(home, 'initdb.log');
  const log = await open(logFile, 'w', 0o600);
  const process = await startGuarded({
    command: join(binaries, 'bin', 'initdb'),
    args: ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-instructions'],
    cwd: home,
    environment: POSTGRES_ENVIRONMENT,
    user,
    output: log.fd,
    stopSignal: 'SIGTERM',
    graceMs: INIT_DEADLINE_MS,
  }).finally(() => log.close());
  const overdue = setTimeout(() => process.kill(), INIT_DEADLINE_MS);
  const { code } = await process.ended;
  clearTimeout(overdue);
  if (code !== 0) throw new Error(`initdb failed: ${(await readFile(logFile, 'utf8')).trim()}`);
}

/**
 * Creates the data folder unless it exists. A first start that was killed in the middle leaves none: it is made under another
 * name and renamed.
 *
 * @param binaries Postgres' own programs
 * @param home the folder to hold it
 * @param user whom Postgres runs as, if not us
 * @returns the data folder
 * @throws with initdb's own words
 */
export async function postgresCluster(binaries: Binaries, home: string, user: User | undefined): Promise<string> {
  const data = join(home, 'data');
  if (existsSync(data)) return data;
  const unfinished = join(home, 'data.new');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  if (user) await chown(unfinished, user.uid, user.gid);
  await initdb(binaries, home, unfinished, user);
  await rename(unfinished, data);
  return data;
}

/**
 * Waits for the postmaster of a killed run, and removes its note. Postgres would remove it itself, unless the noted number
 * belongs to another process by now (after a reboot, or in a container, where numbers are small): then it refuses to start.
 *
 * @param data the data folder
 * @throws when a postmaster goes on running there
 */
export async function freeCluster(data: string): Promise<void> {
  // Who runs where can only be told with /proc; elsewhere Postgres' own check has to do.
  if (process.platform !== 'linux') return;
  const note = join(data, 'postmaster.pid');
  await untilUnoccupied(note, data);
  await rm(note, { force: true });
}
