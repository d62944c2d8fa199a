import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { checkout } from '#core/process/checkout.js';
import type { Rig } from '../rig/rig.js';

const GIGABYTE = 2 ** 30;

/** The machine and the versions behind a set of figures. Figures without them mean nothing. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGigabytes: number;
  system: string;
  node: string;
  redis: string;
  postgres: string;
  /** Runnable processes before the benchmark began. Above 0 the machine had other work. */
  loadBefore: number;
  /** The version of the sources; `unknown` outside a git clone. */
  commit: string;
}

/** Returns the average number of runnable processes during the last minute. */
export function loadNow(): number {
  return loadavg()[0] ?? Number.NaN;
}

/**
 * Describes the machine and the stores.
 *
 * @param loadBefore {@link loadNow}, read before the benchmark started anything
 */
export async function describeMachine(
  { pool, redis }: Pick<Rig, 'pool' | 'redis'>,
  loadBefore: number,
): Promise<Machine> {
  const { rows } = await pool.query('SHOW server_version');
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / GIGABYTE),
    system: `${type()} ${release()}`,
    node: process.version,
    redis: /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? 'unknown',
    postgres: (rows[0] as { server_version: string }).server_version,
    loadBefore,
    commit: commitOf(checkout),
  };
}

/** Writes a machine in one line, without the commit. */
export function machineLine(machine: Machine): string {
  return (
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGigabytes} GB; ${machine.system}; Node ${machine.node}, ` +
    `Redis ${machine.redis}, PostgreSQL ${machine.postgres}; load before: ${machine.loadBefore.toFixed(1)}`
  );
}

/** Returns the git version of a folder; `unknown` outside a clone, and in a clone without a commit. */
export function commitOf(folder: string): string {
  try {
    const args = ['-C', folder, 'describe', '--always', '--dirty'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}
