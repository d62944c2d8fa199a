import { readdirSync, readFileSync } from 'node:fs';

/** Linux reports CPU time to user space in hundredths of a second (USER_HZ), whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
/** Indexes of the fields of /proc/<pid>/stat after the name, which may contain spaces: proc(5). */
const PARENT = 1;
const OWN_TIME = [11, 12] as const;
const ENDED_CHILDREN_TIME = [13, 14] as const;

function statOf(pid: number | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    // The process has ended, or this is not Linux.
    return undefined;
  }
}

const secondsOf = (stat: string[], fields: readonly number[]): number =>
  fields.reduce((sum, field) => sum + Number(stat[field]) / TICKS_PER_SECOND, 0);

/**
 * Reads the CPU time that a process has used. On a busy machine CPU time still shows the cost of a request; requests per
 * second don't.
 *
 * @returns seconds; NaN where there is no /proc
 */
export function cpuSeconds(pid: number): number {
  const stat = statOf(pid);
  return stat ? secondsOf(stat, OWN_TIME) : Number.NaN;
}

/**
 * Reads the CPU time of a process and of all its children, ended ones included: a Postgres and its connections.
 *
 * @returns seconds; NaN where there is no /proc
 */
export function familyCpuSeconds(pid: number): number {
  const stat = statOf(pid);
  if (!stat) return Number.NaN;
  const children = readdirSync('/proc').filter(name => /^\d+$/.test(name) && statOf(name)?.[PARENT] === String(pid));
  const alive = children.reduce((sum, child) => sum + cpuSeconds(Number(child)), 0);
  return secondsOf(stat, [...OWN_TIME, ...ENDED_CHILDREN_TIME]) + alive;
}

/**
 * Reads the resident memory of a process.
 *
 * @returns bytes; NaN where there is no /proc
 */
export function residentBytes(pid: number): number {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes) * 1_024;
  } catch {
    return Number.NaN;
  }
}
