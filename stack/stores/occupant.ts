import { readFile, readlink, realpath } from 'node:fs/promises';
import { until } from '../processes/until.js';

/** The reaper may still be ending the server of a killed run. After this time its folder counts as taken. */
const ENDING_DEADLINE_MS = 10_000;

/**
 * Finds the server that runs on a data folder. The pid that a server noted there proves nothing alone: after a crash another
 * process may have it. Both servers make their data folder their working directory, so that is compared, too.
 *
 * @param pidFile the first line is the pid
 * @returns its pid; undefined when no server runs there, or on a system without /proc, which can't tell
 */
async function occupant(pidFile: string, folder: string): Promise<number | undefined> {
  const note = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(note, 10);
  if (!(pid > 0)) return undefined;
  const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return workingFolder === (await realpath(folder)) ? pid : undefined;
}

/**
 * Waits until no server runs on a data folder, because two servers would write into the same files.
 *
 * @param pidFile where a server notes its pid, in the first line
 * @param folder the data folder
 * @throws when a server still runs there after 10 s
 */
export async function untilUnoccupied(pidFile: string, folder: string): Promise<void> {
  const free = await until(async () => (await occupant(pidFile, folder)) === undefined, ENDING_DEADLINE_MS);
  if (!free) {
    throw new Error(
      `${folder} is in use by process ${await occupant(pidFile, folder)}: stop it, or use another folder`,
    );
  }
}
