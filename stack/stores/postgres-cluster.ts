import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startGuarded, type User } from '../processes/guarded-process.js';
import { untilUnoccupied } from './occupant.js';
import type { Binaries } from './postgres/binaries.js';

/** initdb takes 0.7 s. A minute is enough for it on a machine that is very busy. */
const INIT_DEADLINE_MS = 60_000;

/** The environment of Postgres. It has none of our variables, so that no PG… variable of the user changes the server. */
export const POSTGRES_ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** The programs, the folder and the account for a data folder. */
export interface ClusterSpec {
  /** Postgres' own programs. */
  binaries: Binaries;
  /** The folder that shall hold the data folder. */
  home: string;
  /** The account of Postgres, if it isn't ours. */
  user: User | undefined;
}

async function initdb({ binaries, home, user }: ClusterSpec, data: string): Promise<void> {
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
 * Creates the data folder unless it exists. The folder is made under another name and renamed, so that a first start that is
 * killed halfway leaves none.
 *
 * @returns the data folder
 * @throws with initdb's own words
 */
export async function createPostgresCluster(spec: ClusterSpec): Promise<string> {
  const data = join(spec.home, 'data');
  if (existsSync(data)) return data;
  const unfinished = join(spec.home, 'data.new');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  if (spec.user) await chown(unfinished, spec.user.uid, spec.user.gid);
  await initdb(spec, unfinished);
  await rename(unfinished, data);
  return data;
}

/**
 * Waits for the postmaster of a killed run, and removes its pid file. Postgres removes a stale pid file itself, unless another
 * process has that pid. After a reboot or in a container, where pids are small, Postgres would refuse to start.
 *
 * @param data the data folder
 * @throws when a postmaster still runs there
 */
export async function freeCluster(data: string): Promise<void> {
  // Only /proc tells which process runs in a folder. Elsewhere Postgres' own check has to do.
  if (process.platform !== 'linux') return;
  const note = join(data, 'postmaster.pid');
  await untilUnoccupied(note, data);
  await rm(note, { force: true });
}
