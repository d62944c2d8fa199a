import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Control } from '../bug.js';

/** The longest time of a run, in ms: with the start of the stores, on a busy machine. */
const RUN_LIMIT_MS = 240_000;

/** A runner that has not touched its note for this long stands still, in ms. Loading the sources blocks it for some seconds. */
const STILL_MS = 12_000;

/** Between two looks at the note, in ms. */
const LOOK_MS = 500;

interface JestReport {
  testResults: { assertionResults: TestResult[] }[];
}

/** The result of one test, as jest reports it. */
export interface TestResult {
  fullName: string;
  status: string;
  failureMessages: string[];
  /** In ms. */
  duration?: number | null;
}

/** The tests to run, and how. */
export interface TestsToRun extends Pick<Control, 'kind' | 'file'> {
  /** The beginning of the titles; the whole file if not given. */
  title?: string;
  /** The time-out of a test that names none, in ms. */
  testTimeoutMs: number;
  /** The URL of a Postgres with the tables of these sources; without one, jest starts its own. */
  sharedPostgres?: string | undefined;
}

/** The tests that ran. */
export interface TestRun {
  results: TestResult[];
  /** Why there is no report: the runner crashed or hung, and where. */
  broken?: string;
}

/**
 * Runs the tests of one file.
 *
 * @param folder a copy of the sources
 */
export async function runTests(folder: string, tests: TestsToRun): Promise<TestRun> {
  const [output, note] = [join(folder, 'report.json'), join(folder, 'note.txt')];
  for (const file of [output, note]) rmSync(file, { force: true });
  await writeFile(note, 'before the tests were loaded');
  const { SHARED_POSTGRES: _, ...env } = process.env;
  const { sharedPostgres } = tests;
  const jest = spawn(process.execPath, commandOf(tests, output), {
    cwd: folder,
    env: { ...env, CONTROL_NOTE: note, ...(sharedPostgres === undefined ? {} : { SHARED_POSTGRES: sharedPostgres }) },
    stdio: 'ignore',
    timeout: RUN_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const isStill = killWhenStill(jest, note);
  const [code, signal] = await once(jest, 'close');
  const report = await readFile(output, 'utf8').catch(() => undefined);
  if (report === undefined) {
    const how = isStill() ? 'stood still' : `ended (${signal ?? `exit code ${code}`})`;
    return { results: [], broken: `the runner ${how} ${await readFile(note, 'utf8')}` };
  }
  const { testResults } = JSON.parse(report) as JestReport;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  return { results: results.filter(({ status }) => status === 'passed' || status === 'failed') };
}

function commandOf({ kind, file, title, testTimeoutMs }: TestsToRun, output: string): string[] {
  const pattern = title?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    join('node_modules', 'jest', 'bin', 'jest.js'),
    ...['--selectProjects', kind, '--runInBand', '--forceExit'],
    ...['--testTimeout', String(testTimeoutMs), '--json', '--outputFile', output],
    ...['--setupFilesAfterEnv', join('<rootDir>', 'test', 'controls', 'run', 'note-test.mjs')],
    ...(pattern === undefined ? [] : ['-t', pattern]),
    ...['--runTestsByPath', join('test', kind, `${file}.test.ts`)],
  ];
}

/** Kills a runner that doesn't touch its note any more. Returns whether that happened. */
function killWhenStill(jest: ChildProcess, note: string): () => boolean {
  let still = false;
  let loaded = false;
  const beganAtMs = statSync(note).mtimeMs;
  const look = setInterval(() => {
    const { mtimeMs } = statSync(note);
    loaded ||= mtimeMs > beganAtMs;
    if (!loaded || Date.now() - mtimeMs < STILL_MS) return;
    still = true;
    jest.kill('SIGKILL');
  }, LOOK_MS);
  jest.once('close', () => clearInterval(look));
  return () => still;
}
