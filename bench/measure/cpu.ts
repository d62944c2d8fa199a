import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
/** Where things stand in /proc/<pid>/stat behind the name, which may hold spaces: see proc(5). */
const PARENT = 1;
const OWN_TIME = [11, 12] as const;
const ENDED_CHILDREN_TIME = [13, 14] as const;

function statOf(pid: number | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // It has ended, or this is no Linux.
    return undefined;
  }
}

const secondsOf = (stat: string[], fields: readonly number[]): number =>
  fields.reduce((sum, field) => sum + Number(stat[field]) / TICKS_PER_SECOND, 0);

/**
 * CPU time tells what a request costs also on a machine that has other things to do, which requests per second don't.
 *
 * @param pid a process
 * @returns the CPU time it has used so far, in s; NaN where there is no /proc
 */
export function cpuSeconds(pid: number): number {
  const stat = statOf(pid);
  return stat ? secondsOf(stat, OWN_TIME) : Number.NaN;
}

/** @returns the same for a process with all its children, those that have ended too: a Postgres with its connections */
export function familyCpuSeconds(pid: number): number {
  const stat = statOf(pid);
  if (!stat) return Number.NaN;
  const children = readdirSync('/proc').filter(name => /^\d+$/.test(name) && statOf(name)?.[PARENT] === String(pid));
  const alive = children.reduce((sum, child) => sum + cpuSeconds(Number(child)), 0);
  return secondsOf(stat, [...OWN_TIME, ...ENDED_CHILDREN_TIME]) + alive;
}

/**
 * @param pid a process
 * @returns the memory it occupies, in bytes; NaN where there is no /proc
 */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes) * 1_024;
  } catch {
    return Number.NaN;
  }
}
