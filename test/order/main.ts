import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { checkout } from '#core/process/checkout.js';
import startSharedPostgres, { stopSharedPostgres } from '../support/stores/start-shared-postgres.mjs';
import { chooseFiles, failuresOf, type OrderReport, patternOf, roundsOf, testsOf } from './order.js';

// `npm run test:order`: the unit and integration tests in random order, and then each test alone. A test that needs an earlier one
// hides defects, and one that an earlier test disturbs finds defects that aren't there. The exit code is 1 after a failure. With
// `--sample N`: N files of integration tests, and one test of each alone. `npm test` runs such a sample.

const SEED_MAX = 2 ** 31;

const JEST = ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules', 'node_modules/jest/bin/jest.js'];

const tell = (line: string) => void process.stderr.write(`${line}\n`);

/** The words after `npm run test:order --`. */
function readOptions(args: string[]): { seed: number; sample: number | undefined } {
  const { values } = parseArgs({
    args,
    options: { seed: { type: 'string', default: String(randomInt(SEED_MAX)) }, sample: { type: 'string' } },
  });
  const [seed, sample] = [Number(values.seed), values.sample === undefined ? undefined : Number(values.sample)];
  if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
  if (sample !== undefined && !(Number.isInteger(sample) && sample > 0))
    throw new Error('--sample must be a whole number from 1 up');
  return { seed, sample };
}

async function jest(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [...JEST, ...args], { cwd: checkout, stdio: ['ignore', 'pipe', 'ignore'] });
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return said;
}

/** Runs tests, and returns what jest reports about them. */
async function report(...args: string[]): Promise<OrderReport> {
  const folder = await mkdtemp(join(tmpdir(), 'dropline-order-'));
  const output = join(folder, 'report.json');
  try {
    await jest('--selectProjects', 'unit', 'integration', '--json', '--outputFile', output, ...args);
    const found = JSON.parse(await readFile(output, 'utf8')) as OrderReport;
    return { testResults: found.testResults.map(one => ({ ...one, name: relative(checkout, one.name) })) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function listFiles(kinds: string[]): Promise<string[]> {
  const listed = await jest('--selectProjects', ...kinds, '--listTests');
  return listed
    .split('\n')
    .filter(line => line !== '')
    .map(file => relative(checkout, file));
}

/** Runs everything that the options want. @returns the failures, in words */
async function runOrder({ seed, sample }: ReturnType<typeof readOptions>): Promise<string[]> {
  const files = chooseFiles(await listFiles(sample ? ['integration'] : ['unit', 'integration']), seed, sample);
  // A sample runs beside all other tests.
  const workers = ['--maxWorkers', sample ? '1' : '2'];
  const shuffled = await report(...workers, '--randomize', '--seed', String(seed), '--runTestsByPath', ...files);
  const failures = failuresOf(shuffled, `in random order, with --seed ${seed}`);
  const rounds = roundsOf(testsOf(shuffled), sample ? 1 : undefined);
  for (const [number, round] of rounds.entries()) {
    tell(`alone: round ${number + 1} of ${rounds.length}, ${round.length} tests`);
    const paths = round.map(({ file }) => file);
    const alone = await report(...workers, '-t', patternOf(round), '--runTestsByPath', ...paths);
    failures.push(...failuresOf(alone, 'alone'));
  }
  return failures;
}

try {
  const options = readOptions(process.argv.slice(2));
  tell(`npm run test:order -- --seed ${options.seed}${options.sample ? ` --sample ${options.sample}` : ''}`);
  await startSharedPostgres();
  const failures = await runOrder(options).finally(stopSharedPostgres);
  for (const failure of failures) tell(failure);
  tell(failures.length === 0 ? 'every test passes in any order' : `${failures.length} failed`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
