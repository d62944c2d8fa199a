import { readFile, readlink, realpath } from 'node:fs/promises';
import { until } from '../processes/until.js';

/** How long the server of a killed run, which the reaper is ending, may take until its folder counts as taken. */
const ENDING_DEADLINE_MS = 10_000;

/**
 * Who runs on a data folder, by the pid its server noted there. A noted pid alone proves nothing: after a crash it may have
 * become somebody else's. Both servers make their data folder their working directory, and that tells.
 * @param pidFile the number is its first line
 * @param folder the data folder
 * @returns undefined when nobody does, or on a system without /proc, where it can't be told
 */
async function occupant(pidFile: string, folder: string): Promise<number | undefined> {
  const note = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(note, 10);
  if (!(pid > 0)) return undefined;
  const place = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  return place === (await realpath(folder)) ? pid : undefined;
}

/**
 * Waits until nobody runs on a data folder: two servers on one would write into the same files.
 * @param pidFile where the server notes its pid, in the first line
 * @param folder the data folder
 * @throws when a server goes on running there
 */
export async function untilUnoccupied(pidFile: string, folder: string): Promise<void> {
  const free = await until(async () => (await occupant(pidFile, folder)) === undefined, ENDING_DEADLINE_MS);
  if (!free) {
    throw new Error(
      `${folder} is in use by process ${await occupant(pidFile, folder)}: stop it, or use another folder`,
    );
  }
}
