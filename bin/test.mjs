// `npm test`: all checks and tests, the cheapest first. This file imports only Node's own modules, because it
// starts in a fresh clone before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CHROMIUM_COMMANDS = ['chromium', 'chromium-browser', 'google-chrome'];
/** The PATH of an ordinary user often lacks the sbin folders. */
const NGINX_COMMANDS = ['nginx', '/usr/sbin/nginx'];
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

const jest = (kind, maxWorkers, more = [], name = kind) => ({
  name,
  command: process.execPath,
  args: [
    // Jest runs ES modules through an interface of Node that prints a warning in each process.
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    ...['--selectProjects', kind, '--maxWorkers', String(maxWorkers), '--json', '--outputFile', join(results, name)],
    ...more,
  ],
});

/** The end-to-end tests that measure times, and the one that leaves a core idle. The others run together. */
const TIMED = 'e2e/(line|pipeline)';
const RIGHTS = 'e2e/least-rights';

// The steps of one row run together. The first two rows leave no core idle. In the others each test has stores and processes of
// its own, and mostly waits.
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
    jest('unit', 1),
  ],
  [jest('integration', 3)],
  [jest('e2e', 1, ['--testPathPatterns', TIMED], 'e2e-timed')],
  [jest('e2e', 2, ['--testPathIgnorePatterns', TIMED, RIGHTS])],
  [jest('attack', 1), jest('browser', 1), jest('e2e', 1, ['--testPathPatterns', RIGHTS], 'e2e-rights')],
  // Short selections; `npm run test:edge`, `npm run test:chaos` and `npm run test:upgrade` run the rest, which takes longer.
  [jest('edge', 2, ['--testPathIgnorePatterns', 'edge/floods'])],
  [
    jest('chaos', 2, ['--testPathPatterns', 'crash-matrix|redis-loss|short-run']),
    jest('upgrade', 1, ['--testPathPatterns', 'short-run']),
  ],
];

/** Runs one step to its end, and keeps its output, which is shown only if the step fails. */
function run({ name, command, args }) {
  const startedAt = performance.now();
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const output = [];
  child.stdout.on('data', chunk => output.push(chunk));
  child.stderr.on('data', chunk => output.push(chunk));
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
    name: 'nginx with its brotli module',
    tests: 'edge',
    packages: 'nginx-light libnginx-mod-http-brotli-static',
    isThere: () => existsSync(BROTLI_MODULE) && NGINX_COMMANDS.some(command => answers(command, '-v')),
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
