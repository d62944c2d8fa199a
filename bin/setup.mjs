// What a clone needs before its programs can run: packages, the generated database client, the compiled sources.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, isBuilt } from './build.mjs';
import { run } from './command.mjs';
import { fingerprint, textOf } from './fingerprint.mjs';
import { setupLock } from './setup-lock.mjs';

const CLIENT = join('core', 'postgres', 'generated');
const CLIENT_STAMP = join(CLIENT, '.generated-from');

/** Whether the installed packages are those of the lockfile, by npm's own list of what it installed. */
function arePackagesInstalled(root) {
  const installed = textOf(join(root, 'node_modules', '.package-lock.json'));
  const wanted = textOf(join(root, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return false;
  const present = JSON.parse(installed).packages;
  // An image installed with --omit=dev is complete for what runs in it, which is what was built before.
  const product = present['node_modules/typescript'] === undefined && existsSync(join(root, 'dist'));
  return Object.entries(JSON.parse(wanted).packages).every(([path, { version, integrity, ...kind }]) => {
    if (path === '') return true;
    const found = present[path];
    if (found) return found.version === version && found.integrity === integrity;
    // Packages for other platforms stay away.
    return kind.optional || kind.devOptional || (product && kind.dev);
  });
}

/**
 * `npm ci` refuses a lockfile in which a package for another platform is missing, and npm writes such a one wherever the registry
 * it was made with lacks that package. `npm install` takes the same versions from it and doesn't mind.
 */
function namesEveryPlatform(lock) {
  const places = Object.keys(lock.packages);
  const named = new Set(places.map(place => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)));
  return Object.values(lock.packages).every(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies).every(name => named.has(name)),
  );
}

async function installPackages(root) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const command = namesEveryPlatform(lock) ? ['ci'] : ['install', '--no-save'];
  process.stderr.write(`Installing packages (npm ${command.join(' ')}) ...\n`);
  // What an interrupted installation left behind isn't told from what is complete.
  rmSync(join(root, 'node_modules'), { recursive: true, force: true });
  // Development packages also where NODE_ENV is production: the compiler is one. No install scripts: some download from elsewhere,
  // and what we need works without.
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
  if (!existsSync(join(root, 'core'))) return true; // only dist/ is here, which contains it
  return stamp !== undefined && stamp === schemaOf(root);
}

async function generateClient(root) {
  process.stderr.write('Generating the database client ...\n');
  const prisma = join(root, 'node_modules', 'prisma', 'build', 'index.js');
  await run(process.execPath, [prisma, 'generate'], {
    cwd: root,
    env: {
      // `generate` never runs this engine, but would download it unless an existing file is named.
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

/** The steps that this clone still needs. Only reads. */
export function missingSteps(root) {
  return STEPS.filter(step => !step.done(root));
}

/**
 * Does what is missing, one process at a time; what another process did while we waited is not done again.
 * @param {string} root the clone
 * @throws when a step fails, or the clone can't be written
 */
export async function perform(root) {
  const giveBack = await setupLock(root);
  try {
    for (const step of STEPS) if (!step.done(root)) await step.act(root);
  } finally {
    giveBack();
  }
}
