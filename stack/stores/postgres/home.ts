import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { chmod, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { User } from '../../processes/guarded-process.js';
import { createServerFolder } from '../server.js';
import { everybodyReaches } from './user.js';

/** The folders of a Unix system for data that shall last; the second one survives a reboot, too. */
const ELSEWHERE = ['/var/lib/dropline', '/var/tmp/dropline'];
const HASH_CHARS = 12;

async function createReachable(name: string): Promise<string> {
  for (const folder of ELSEWHERE) {
    const home = join(folder, name);
    const created = await createServerFolder(folder)
      .then(() => createServerFolder(home))
      .then(
        () => true,
        () => false,
      );
    if (created && everybodyReaches(home)) return home;
  }
  throw new Error(`no folder can be reached by the account that Postgres runs as (tried ${ELSEWHERE.join(', ')})`);
}

/**
 * Creates the folder that Postgres lives in, unless it exists. This is the wanted folder, or a folder elsewhere if the account of
 * Postgres can't reach the wanted one. A link `elsewhere` in the wanted folder then leads there, also at the next start.
 *
 * @param dir the wanted folder
 * @param user the account of Postgres, if it isn't ours
 * @returns the folder
 */
export async function createPostgresHome(dir: string, user: User | undefined): Promise<string> {
  await createServerFolder(dir);
  if (!user) return dir;
  const link = join(dir, 'elsewhere');
  // Nobody else may pass a folder made by mkdtemp. This one is for our server, so we may open it; the folders above we may not.
  if (everybodyReaches(dirname(realpathSync(dir)))) await chmod(dir, 0o711);
  const known = await readlink(link).catch(() => undefined);
  if (!known && everybodyReaches(dir)) return dir;
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, HASH_CHARS);
  const home = known ?? (await createReachable(name));
  await createServerFolder(home);
  if (!known) {
    await symlink(home, link);
    process.stderr.write(`Postgres can't run as root, and others can't enter ${dir}: its data is in ${home}.\n`);
  }
  return home;
}
