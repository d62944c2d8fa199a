import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { checkout } from '#core/process/checkout.js';

const run = promisify(execFile);

const CACHE = join(checkout, 'node_modules', '.cache', 'upgrade');
const OUR_PACKAGES = join(checkout, 'node_modules');

/** The installation of packages and the compiler write to both streams, and say little. */
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Makes the tree of an older commit ready to run, below node_modules/.cache/upgrade. A tree that is there already costs a check.
 *
 * @param commit the full hash
 * @returns the folder of the tree
 * @throws Error when its packages can't be installed or its sources don't compile
 */
export async function prepareOldTree(commit: string): Promise<string> {
  const folder = join(CACHE, commit);
  if (!existsSync(folder)) await extract(commit, folder);
  await sharePackages(folder);
  // Its own set-up does what is missing: packages of another version, the database client, the compiled files.
  const bootstrap = [join('bin', 'bootstrap.mjs')];
  await run(process.execPath, bootstrap, { cwd: folder, maxBuffer: OUTPUT_MAX_BYTES });
  return folder;
}

/** The tree gets its name when it is whole. Of two processes that extract at the same time, one is in vain. */
async function extract(commit: string, folder: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const unfinished = await mkdtemp(join(CACHE, 'unfinished-'));
  // Not through a pipe: tar may end before git has written the zeros after the last file.
  const archive = join(unfinished, 'archive.tar');
  await run('git', ['archive', '--output', archive, commit], { cwd: checkout });
  await run('tar', ['-x', '-f', archive, '-C', unfinished]);
  await rm(archive);
  await rename(unfinished, folder).catch(async error => {
    if (!existsSync(folder)) throw error;
    await rm(unfinished, { recursive: true });
  });
}

/**
 * Links our packages into the tree if they are those that it runs with, which is quicker than an installation by 40 s. The tree's
 * own set-up compares its lockfile with npm's list of installed packages, so a copy of the lockfile stands for that list.
 */
async function sharePackages(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules');
  const lockfile = join(folder, 'package-lock.json');
  if (!runsWithOurPackages(lockfile)) {
    // Links of an earlier run would lead to packages that have changed since.
    if (isShared(packages)) await rm(packages, { recursive: true });
    return;
  }
  if (existsSync(packages)) return;
  const unfinished = await mkdtemp(join(folder, 'unfinished-'));
  const ours = (await readdir(OUR_PACKAGES)).filter(name => name !== '.cache' && name !== '.package-lock.json');
  // Relative links, so that the clone may be moved.
  await Promise.all(ours.map(name => symlink(relative(packages, join(OUR_PACKAGES, name)), join(unfinished, name))));
  await copyFile(lockfile, join(unfinished, '.package-lock.json'));
  await rename(unfinished, packages);
}

const isShared = (packages: string): boolean =>
  lstatSync(join(packages, 'ioredis'), { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

interface Package {
  version?: string;
  integrity?: string;
  dev?: boolean;
  optional?: boolean;
  devOptional?: boolean;
  devDependencies?: Record<string, string>;
}

/** Reads the packages of a lockfile by their folder. The folder of the tree itself is the empty text. */
const readPackages = (path: string): Record<string, Package> => JSON.parse(readFileSync(path, 'utf8')).packages;

/**
 * Returns whether every package that a tree runs with, and every tool that it names itself, is installed here in the same folder
 * and version. The tools' own packages may differ: they change nothing in what the tree does.
 */
function runsWithOurPackages(lockfile: string): boolean {
  const wanted = readPackages(lockfile);
  const installed = readPackages(join(OUR_PACKAGES, '.package-lock.json'));
  const tools = new Set(Object.keys(wanted['']?.devDependencies ?? {}).map(name => `node_modules/${name}`));
  return Object.entries(wanted).every(([folder, { version, integrity, dev, optional, devOptional }]) => {
    if (folder === '' || (dev && !tools.has(folder))) return true;
    const found = installed[folder];
    // Packages for other platforms are never installed.
    if (!found && (optional || devOptional)) return true;
    return found?.version === version && found?.integrity === integrity;
  });
}
