// Builds dist/: the compiled sources, and the files that they read at run time. `node bin/build.mjs` or bootstrap.mjs runs it.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildWeb } from './build-web.mjs';
import { run } from './command.mjs';
import { filesUnder, fingerprint, textOf } from './fingerprint.mjs';

/** The folders that are compiled, as far as they exist: an image has no stack/. */
const SOURCES = ['core', 'apps', 'stack'];
/** The stamp is written last, so an interrupted build has none. */
const STAMP = join('dist', '.built-from');
/** This folder is inside dist/: no other folder is written to, and a rename stays within one file system. */
const UNFINISHED = join('dist', '.unfinished');

const clone = dirname(dirname(fileURLToPath(import.meta.url)));

function sourcesOf(root) {
  const configs = ['tsconfig.json', 'tsconfig.build.json', 'package.json'].map(name => join(root, name));
  const paths = [...configs, ...SOURCES.flatMap(folder => filesUnder(join(root, folder)))];
  const compiler = textOf(join(root, 'node_modules', 'typescript', 'package.json')) ?? '';
  const builders = ['build.mjs', 'build-web.mjs'].map(name => textOf(join(root, 'bin', name)) ?? '');
  return fingerprint(root, paths, [compiler, ...builders]);
}

/** Tells whether a file is read at run time but not compiled: the Redis scripts, and the style and scripts of the console. */
function isAsset(path) {
  return path.endsWith('.lua') || path.startsWith(join('apps', 'admin') + sep);
}

function copyAssets(root, target) {
  for (const source of SOURCES.flatMap(folder => filesUnder(join(root, folder)))) {
    const path = relative(root, source);
    if (isAsset(path) && !path.endsWith('.ts')) cpSync(source, join(target, path));
  }
}

/** Tells whether dist/ is up to date. In an image that holds only dist/, there is nothing to compare it with. */
export function isBuilt(root) {
  const stamp = textOf(join(root, STAMP));
  if (stamp === undefined) return false;
  return filesUnder(join(root, 'core')).length === 0 || stamp === sourcesOf(root);
}

/**
 * Builds dist/ in a folder of its own, which then replaces the old one. So no file stays whose source was deleted.
 * @param {string} root the clone
 * @throws when the sources have type errors (tsc has printed them)
 */
export async function build(root) {
  const sources = sourcesOf(root);
  const target = join(root, UNFINISHED);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', target], { cwd: root });
  copyAssets(root, target);
  await buildWeb({ from: join(root, 'apps', 'web'), to: join(target, 'apps', 'web') });

  rmSync(join(root, STAMP), { force: true });
  for (const folder of SOURCES.filter(name => existsSync(join(root, name)))) {
    rmSync(join(root, 'dist', folder), { recursive: true, force: true });
    renameSync(join(target, folder), join(root, 'dist', folder));
  }
  rmSync(target, { recursive: true, force: true });
  writeFileSync(join(root, STAMP), sources);
}

/**
 * Marks dist/ as built from the sources as they are, after the caller compiled what had changed.
 * @param {string} root the clone, or a copy of it
 */
export function markBuilt(root) {
  writeFileSync(join(root, STAMP), sourcesOf(root));
}

if (import.meta.url === pathToFileURL(resolve(process.argv[1])).href) await build(clone);
