import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { User } from '../../processes/guarded-process.js';

/** Any account but root will do, if it is in the password file: initdb looks it up there. */
const ACCOUNTS = ['postgres', 'nobody'];
const OTHERS_MAY_PASS = 0o001;

/**
 * Chooses the account that Postgres runs as, because Postgres refuses to be root. Existing data keeps its owner.
 *
 * @param data the data folder, which need not exist
 * @returns undefined when Postgres can run as ourselves
 * @throws when we are root and the machine has no other account
 */
export function choosePostgresUser(data: string): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(data)) {
    const { uid, gid } = statSync(data);
    if (uid !== 0) return { uid, gid };
  }
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map(line => line.split(':'));
  for (const name of ACCOUNTS) {
    const account = accounts.find(fields => fields[0] === name);
    const user = { uid: Number(account?.[2]), gid: Number(account?.[3]) };
    if (user.uid > 0 && user.gid > 0) return user;
  }
  throw new Error(
    `Postgres can't run as root, and this machine has neither of the accounts ${ACCOUNTS.join(', ')}: run Dropline as an ordinary user, or set DATABASE_URL`,
  );
}

/**
 * Tells whether an account that owns nothing on the path can reach a folder. For that, everybody must be allowed to pass through
 * the folder and all folders above.
 *
 * @param folder must exist
 */
export function everybodyReaches(folder: string): boolean {
  const passes = (path: string): boolean =>
    (statSync(path).mode & OTHERS_MAY_PASS) !== 0 && (dirname(path) === path || passes(dirname(path)));
  return passes(realpathSync(folder));
}
