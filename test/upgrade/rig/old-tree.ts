import { execFile, spawn } from 'node:child_process';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { checkout } from '#core/process/checkout.js';

const run = promisify(execFile);

const CACHE = join(checkout, 'node_modules', '.cache', 'upgrade');
/** From a tree in the cache to the packages of this clone. Relative, so that the clone may be moved. */
const OUR_PACKAGES = join('..', '..', '..');

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
  const archive = spawn('git', ['archive', commit], { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] });
  const tar = spawn('tar', ['-x', '-C', unfinished], { stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = [archive, tar].map(child => new Promise<number | null>(resolve => child.once('close', resolve)));
  await pipeline(archive.stdout, tar.stdin);
  const codes = await Promise.all(ended);
  if (codes.some(code => code !== 0))
    throw new Error(`commit ${commit} could not be extracted with git archive and tar`);
  await rename(unfinished, folder).catch(async error => {
    if (!existsSync(folder)) throw error;
    await rm(unfinished, { recursive: true });
  });
}

/** Links our packages into the tree if they are what it wants, which is quicker than an installation by 15 s. */
async function sharePackages(folder: string): Promise<void> {
  const packages = join(folder, 'node_modules');
  const isLinked = lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  const mayShare = hasEveryPackage(join(folder, 'package-lock.json'));
  if (isLinked && !mayShare) await unlink(packages);
  // Another process may have been quicker.
  if (mayShare && !existsSync(packages)) await symlink(OUR_PACKAGES, packages).catch(() => undefined);
}

interface Lock {
  packages: Record<string, { version?: string; integrity?: string; optional?: boolean; devOptional?: boolean }>;
}

/** Tells whether every package of a lockfile is installed here, in the same folder and the same version. */
function hasEveryPackage(lockfile: string): boolean {
  const read = (path: string): Lock['packages'] => JSON.parse(readFileSync(path, 'utf8')).packages;
  const installed = read(join(checkout, 'node_modules', '.package-lock.json'));
  return Object.entries(read(lockfile)).every(([place, { version, integrity, optional, devOptional }]) => {
    const found = installed[place];
    // The first entry is the tree itself. Packages for other platforms are never installed.
    if (place === '' || (!found && (optional || devOptional))) return true;
    return found?.version === version && found?.integrity === integrity;
  });
}
