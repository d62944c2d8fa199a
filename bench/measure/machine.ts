import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Rig } from '../rig/rig.js';

const GIGABYTE = 2 ** 30;

/** What the figures were measured on; without it they say nothing. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGigabytes: number;
  system: string;
  node: string;
  redis: string;
  postgres: string;
  /** Runnable processes before we began: above 0 the machine had other things to do. */
  loadBefore: number;
  /** The version of the sources, if this is a clone. */
  commit: string;
}

/** @returns the processes that wanted to run during the last minute, on average */
export function loadNow(): number {
  return loadavg()[0] ?? Number.NaN;
}

/**
 * @param rig the stores
 * @param loadBefore from {@link loadNow}, before anything of ours ran
 * @returns the machine
 */
export async function describeMachine(rig: Rig, loadBefore: number): Promise<Machine> {
  const { rows } = await rig.pool.query('SHOW server_version');
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / GIGABYTE),
    system: `${type()} ${release()}`,
    node: process.version,
    redis: /redis_version:(\S+)/.exec(await rig.redis.info('server'))?.[1] ?? 'unknown',
    postgres: (rows[0] as { server_version: string }).server_version,
    loadBefore,
    commit: commit(),
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    // Not a clone, or one without a commit.
    return 'unknown';
  }
}
