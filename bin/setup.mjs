// The set-up of a clone: packages, the generated database client and the compiled sources.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, isBuilt } from './build.mjs';
import { run } from './command.mjs';
import { fingerprint, textOf } from './fingerprint.mjs';
import { takeSetupLock } from './setup-lock.mjs';

const CLIENT = join('core', 'postgres', 'generated');
const CLIENT_STAMP = join(CLIENT, '.generated-from');

/** Tells whether the installed packages are those of the lockfile, by npm's own list of installed packages. */
function arePackagesInstalled(root) {
  const installed = textOf(join(root, 'node_modules', '.package-lock.json'));
  const wanted = textOf(join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  const present = JSON.parse(installed).packages;
  // An image installed with --omit=dev lacks the compiler, and has a dist/ that was built before.
  const product = present['node_modules/typescript'] === undefined && existsSync(join(root, 'dist'));
  return Object.entries(JSON.parse(wanted).packages).every(([path, { version, integrity, ...kind }]) => {
    if (path === '') return true;
    const found = present[path];
    if (found) return found.version === version && found.integrity === integrity;
    // npm leaves out the packages for other platforms.
    return kind.optional || kind.devOptional || (product && kind.dev);
  });
}

/**
 * Tells whether a lockfile has every optional package. If the registry lacks a package for some platform, npm writes a lockfile
 * without that package. `npm ci` refuses such a lockfile; `npm install` accepts it and takes the same versions.
 */
function namesEveryPlatform(lock) {
  const paths = Object.keys(lock.packages);
  const named = new Set(paths.map(path => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)));
  return Object.values(lock.packages).every(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies).every(name => named.has(name)),
  );
}

async function installPackages(root) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const command = namesEveryPlatform(lock) ? ['ci'] : ['install', '--no-save'];
  process.stderr.write(`Installing packages (npm ${command.join(' ')}) ...\n`);
  // The packages of an interrupted installation may be incomplete.
  rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  // Development packages are needed even if NODE_ENV is production, because the compiler is one. Install scripts are skipped:
  // some download files, and the packages that we use work without.
  const args = [...command, '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) await run(process.execPath, [npm, ...args], { cwd: root });
  else await run('npm', args, { cwd: root });
}

function schemaOf(root) {
  const prisma = textOf(join(root, 'node_modules', 'prisma', 'package.json')) ?? '';
  return fingerprint(root, [join(root, 'prisma', 'schema.prisma')], [prisma]);
}

function isClientGenerated(root) {
  const stamp = textOf(join(root, CLIENT_STAMP));
  if (!existsSync(join(root, 'core'))) return true; // this is an image, and its dist/ contains the client
  return stamp !== undefined && stamp === schemaOf(root);
}

async function generateClient(root) {
  process.stderr.write('Generating the database client ...\n');
  const prisma = join(root, 'node_modules', 'prisma', 'build', 'index.js');
  await run(process.execPath, [prisma, 'generate'], {
    cwd: root,
    env: {
      // `generate` never runs this engine, but downloads it unless the variable names an existing file.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  });
  writeFileSync(join(root, CLIENT_STAMP), schemaOf(root));
}

async function buildSources(root) {
  process.stderr.write('Compiling (tsc) ...\n');
  await build(root);
}

const STEPS = [
  { done: arePackagesInstalled, act: installPackages },
  { done: isClientGenerated, act: generateClient },
  { done: isBuilt, act: buildSources },
];

/** Lists the steps that a clone still needs. It only reads. */
export function missingSteps(root) {
  return STEPS.filter(step => !step.done(root));
}

/**
 * Does the missing steps, one process at a time. A step that another process did while this one waited is not repeated.
 * @param {string} root the clone
 * @throws when a step fails, or the clone is read-only
 */
export async function perform(root) {
  const giveBack = await takeSetupLock(root);
  try {
    for (const step of STEPS) if (!step.done(root)) await step.act(root);
  } finally {
    giveBack();
  }
}
