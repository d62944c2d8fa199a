import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { chmod, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { User } from '../processes/guarded-process.js';
import { everybodyReaches } from './postgres-user.js';
import { serverFolder } from './server.js';

/** Where data that shall last belongs on a Unix system; the second survives a reboot, too. */
const ELSEWHERE = ['/var/lib/dropline', '/var/tmp/dropline'];
const HASH_CHARS = 12;

async function firstReachable(name: string): Promise<string> {
  for (const folder of ELSEWHERE) {
    const home = join(folder, name);
    const created = await serverFolder(folder)
      .then(() => serverFolder(home))
      .then(
        () => true,
        () => false,
      );
    if (created && everybodyReaches(home)) return home;
  }
  throw new Error(`no folder can be reached by the account that Postgres runs as (tried ${ELSEWHERE.join(', ')})`);
}

/**
 * The folder in which Postgres lives: the wanted one, or, where its account can't reach that one, a folder elsewhere. A link
 * `elsewhere` in the wanted folder then says where, and decides the next time.
 *
 * @param dir the wanted folder; created if need be
 * @param user whom Postgres runs as, if not us
 * @returns the folder; it exists
 */
export async function postgresHome(dir: string, user: User | undefined): Promise<string> {
  await serverFolder(dir);
  if (!user) return dir;
  const link = join(dir, 'elsewhere');
  // A folder made by mkdtemp lets nobody pass. It was given to us to put a server in, so it may be opened; those above may not.
  if (everybodyReaches(dirname(realpathSync(dir)))) await chmod(dir, 0o711);
  const known = await readlink(link).catch(() => undefined);
  if (!known && everybodyReaches(dir)) return dir;
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, HASH_CHARS);
  const home = known ?? (await firstReachable(name));
  await serverFolder(home);
  if (!known) {
    await symlink(home, link);
    process.stderr.write(`Postgres can't run as root, and others can't enter ${dir}: its data is in ${home}.\n`);
  }
  return home;
}
