import { readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
/** Where user and system time stand behind the name, which may hold spaces. */
const [USER, SYSTEM] = [11, 12] as const;

/**
 * CPU time tells what a request costs also on a machine that has other things to do, which requests per second don't.
 *
 * @param pid a process
 * @returns the CPU time it has used so far, in s; NaN where there is no /proc
 */
export function cpuSeconds(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[USER]) + Number(fields[SYSTEM])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
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
