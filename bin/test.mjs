// `npm test`: all checks and tests, the cheapest first. This file imports no package, because it starts in a fresh clone
// before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LONG_TESTS } from './long-tests.mjs';

const ROOT = join(import.meta.dirname, '..');
const CHROMIUM_COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];
/** The PATH of an ordinary user often lacks the sbin folders. */
const NGINX_COMMANDS = ['nginx', '/usr/sbin/nginx'];
const PGBOUNCER_COMMANDS = ['pgbouncer', '/usr/sbin/pgbouncer'];
const BROTLI_MODULE = '/usr/lib/nginx/modules/ngx_http_brotli_static_module.so';
const STOPPED_BY_SIGNAL = 130;

const results = mkdtempSync(join(tmpdir(), 'dropline-test-'));
const running = new Set();
const count = { passed: 0, failed: 0 };

const tool = (name, script, ...args) => ({
  name,
  command: process.execPath,
  args: [join('node_modules', script), ...args],
});

const jest = (name, kinds, maxWorkers, more = []) => ({
  name,
  command: process.execPath,
  args: [
    // Jest runs ES modules through an interface of Node that prints a warning in each process.
    '--disable-warning=ExperimentalWarning',
    ...['--experimental-vm-modules', '--import', './bin/end-when-done.mjs'],
    'node_modules/jest/bin/jest.js',
    ...['--selectProjects', ...kinds],
    ...['--maxWorkers', String(maxWorkers), '--json', '--outputFile', join(results, name)],
    ...more,
  ],
});

/** Files of integration tests whose tests run in random order, and one of them alone. `npm run test:order` runs all. */
const ORDER_SAMPLE = 1;
const SEED_MAX = 2 ** 31;

/** A sample of the order of tests. The seed in its name repeats it. */
const order = seed => ({
  name: `order --seed ${seed} --sample ${ORDER_SAMPLE}`,
  command: process.execPath,
  args: [
    ...['--conditions=source', '--import', 'tsx', 'test/order/main.ts'],
    ...['--seed', String(seed), '--sample', String(ORDER_SAMPLE)],
  ],
});

const KINDS = ['integration', 'e2e', 'attack', 'edge', 'browser', 'chaos', 'stores', 'upgrade'];
/**
 * One file of tests a core and one more, as each waits a third of its time for stores and processes of its own. The Postgres that some
 * share has connections for eight.
 */
const WORKERS = Math.min(availableParallelism() + 1, 8);

// The steps of one row run together, and a row begins when the one before has passed. All tests with stores are one step, so that no
// core is idle while one of them waits: test/longest-first.mjs has their order.
const ROWS = [
  [
    tool('types', 'typescript/bin/tsc', '--noEmit'),
    tool('lint', '@biomejs/biome/bin/biome', 'ci', '--colors=off', '--error-on-warnings', '.'),
    tool(
      'imports',
      'dependency-cruiser/bin/dependency-cruise.mjs',
      'core',
      'apps',
      'stack',
      'test',
      'bench',
      'examples',
    ),
    jest('unit', ['unit'], 2),
  ],
  [
    { ...jest('tests', KINDS, WORKERS, ['--testPathIgnorePatterns', ...LONG_TESTS]), isLive: true },
    order(randomInt(SEED_MAX)),
  ],
];

/** Runs one step to its end. Its output is shown as it comes if the step is live, otherwise only if it fails. */
function run({ name, command, args, isLive = false }) {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const output = [];
  const keep = chunk => (isLive ? process.stderr.write(chunk) : output.push(chunk));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      running.delete(child);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      resolve({ name, ok: code === 0, seconds, output: Buffer.concat(output).toString() });
    });
  });
}

function report({ name, ok, seconds, output }) {
  process.stdout.write(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)\n`);
  if (!ok) process.stdout.write(`${output}\n`);
  const counted = tally(name);
  // A check that counts no tests, or fails before it can, is one failure.
  if (!ok && counted.failed === 0) counted.failed = 1;
  count.passed += counted.passed;
  count.failed += counted.failed;
}

function tally(name) {
  const path = join(results, name);
  if (!existsSync(path)) return { passed: 0, failed: 0 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(path, 'utf8'));
  return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
}

const answers = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** The machine's own programs that tests run. No package of the npm registry contains them. */
const PROGRAMS = [
  {
    name: 'Chromium',
    tests: 'browser',
    packages: 'chromium',
    isThere: () => CHROMIUM_COMMANDS.some(command => answers(command, '--version')),
  },
  {
    name: 'PgBouncer',
    tests: 'stores',
    packages: 'pgbouncer',
    isThere: () => PGBOUNCER_COMMANDS.some(command => answers(command, '--version')),
  },
  {
    name: 'nginx with its brotli module',
    tests: 'edge',
    packages: 'nginx-light libnginx-mod-http-brotli-static',
    isThere: () => existsSync(BROTLI_MODULE) && NGINX_COMMANDS.some(command => answers(command, '-v')),
  },
  {
    name: 'Python 3, in which a draw is verified',
    tests: 'integration',
    packages: 'python3',
    isThere: () => answers('python3', '--version'),
  },
  {
    name: 'openssl, which makes certificates',
    tests: 'stores',
    packages: 'openssl',
    isThere: () => answers('openssl', 'version'),
  },
];

/** With this script, which exits with 101, Debian starts no installed service. Otherwise nginx would take port 80. */
const POLICY_FILE = '/usr/sbin/policy-rc.d';
const START_NOTHING = '#!/bin/sh\nexit 101\n';

/** Installs a missing program as root on Debian. Elsewhere it throws, with the command that does so. */
function requireProgram({ name, tests, packages, isThere }) {
  if (isThere()) return;
  const fix = `apt-get update && apt-get install -y ${packages}`;
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    throw new Error(`the ${tests} tests need ${name}: sudo sh -c '${fix}'`);
  }
  process.stderr.write(`No ${name} on this machine: installing ${packages} (apt-get).\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const hasPolicy = existsSync(POLICY_FILE);
  if (!hasPolicy) writeFileSync(POLICY_FILE, START_NOTHING, { mode: 0o755 });
  try {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', fix], { env, encoding: 'utf8' });
    if (status !== 0) throw new Error(`could not install ${packages}:\n${stdout}${stderr}`);
  } finally {
    if (!hasPolicy) rmSync(POLICY_FILE, { force: true });
  }
}

/** Brings packages, the generated client and dist/ up to date. */
function setUp() {
  const { status } = spawnSync(process.execPath, [join('bin', 'bootstrap.mjs')], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('the set-up failed: see above');
}

async function runAll() {
  setUp();
  PROGRAMS.forEach(requireProgram);
  for (const row of ROWS) {
    const finished = await Promise.all(row.map(run));
    finished.forEach(report);
    if (count.failed > 0) return;
  }
}

const cleanUp = () => {
  for (const child of running) child.kill('SIGTERM');
  rmSync(results, { recursive: true, force: true });
};

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    cleanUp();
    process.exit(STOPPED_BY_SIGNAL);
  });
}

try {
  await runAll();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  count.failed += 1;
} finally {
  cleanUp();
}
process.stdout.write(`${count.passed} passed, ${count.failed} failed\n`);
process.exitCode = count.failed === 0 ? 0 : 1;
