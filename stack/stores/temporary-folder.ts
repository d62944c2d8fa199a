import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keep, removeAtEnd } from '../processes/reaper.js';
import { everybodyReaches } from './postgres-user.js';
import { serverFolder } from './server.js';

/**
 * A new temporary folder for servers; if the user's own can't be entered by others, one that can.
 *
 * @returns the folder; it is removed when this process ends, whatever ends it
 */
export async function temporaryFolder(): Promise<string> {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(folder => everybodyReaches(folder)) ?? tmpdir();
  const folder = join(parent, `dropline-${randomUUID()}`);
  // First the promise to remove it, then the folder: so there is no moment at which it can be left over.
  await removeAtEnd(folder);
  await serverFolder(folder);
  return folder;
}

/**
 * @param folder from {@link temporaryFolder}; its servers have been stopped
 */
export async function removeTemporary(folder: string): Promise<void> {
  // A killed server's last process may still be writing.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  await keep(folder);
}
