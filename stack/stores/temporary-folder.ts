import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reaper } from '../processes/reaper.js';
import { everybodyReaches } from './postgres/user.js';
import { createServerFolder } from './server.js';

/**
 * Creates a temporary folder for servers: in the user's own folder for temporary files, or elsewhere if others can't enter that.
 *
 * @returns the folder; it is removed when this process ends, however it ends
 */
export async function createTemporaryFolder(): Promise<string> {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find(folder => everybodyReaches(folder)) ?? tmpdir();
  const folder = join(parent, `dropline-${randomUUID()}`);
  // The reaper learns of the folder before it exists, so that at no moment it can be left over.
  await reaper.removeAtEnd(folder);
  await createServerFolder(folder);
  return folder;
}

/**
 * Removes a temporary folder.
 *
 * @param folder from {@link createTemporaryFolder}; its servers must have been stopped
 */
export async function removeTemporaryFolder(folder: string): Promise<void> {
  // The last process of a killed server may still be writing.
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  await reaper.keep(folder);
}
