import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Control } from '../bug.js';
import { killWhenStill } from './kill-when-still.js';

/** The longest time of a run, in ms: with the start of the stores, on a busy machine. */
const RUN_LIMIT_MS = 240_000;

interface JestReport {
  testResults: { message: string; assertionResults: TestResult[] }[];
}

/** A failure of a test in its own function. */
export interface OwnFailure {
  message: string;
  /** An `expect` has failed. */
  isAssertion: boolean;
}

/** The result of one test, as jest reports it. */
export interface TestResult {
  fullName: string;
  status: string;
  failureMessages: string[];
  /** In ms. */
  duration?: number | null;
  /** Not given if the test passed, or if something around it failed: a hook, or the start of a store. */
  own?: OwnFailure;
}

/** The tests to run, and how. */
export interface TestsToRun extends Pick<Control, 'kind' | 'file'> {
  /** The beginning of the titles; the whole file if not given. */
  title?: string;
  /** The time-out of a test that names none, in ms. */
  testTimeoutMs: number;
  /** The URL of a Postgres with the tables of these sources; without one, jest starts its own. */
  sharedPostgres?: string | undefined;
  /** Ends the run. */
  signal?: AbortSignal;
}

/** The tests that ran. */
export interface TestRun {
  results: TestResult[];
  /** Why no test could say anything: the runner crashed or hung, and where, or the file could not be loaded. */
  broken?: string;
  /** The output of jest about that. */
  printed?: string;
}

/** The files of a run, in the copy of the sources. */
interface RunFiles {
  report: string;
  note: string;
  events: string;
  said: string;
}

/**
 * Runs the tests of one file.
 *
 * @param folder a copy of the sources
 * @throws the reason of the signal when the signal ended the run
 */
export async function runTests(folder: string, tests: TestsToRun): Promise<TestRun> {
  tests.signal?.throwIfAborted();
  const files = filesIn(folder);
  for (const file of Object.values(files)) rmSync(file, { force: true });
  await writeFile(files.note, 'before the tests were loaded');
  const said = await open(files.said, 'w');
  const jest = spawnJest(folder, tests, { files, stderr: said.fd });
  const end = (): void => void jest.kill('SIGKILL');
  tests.signal?.addEventListener('abort', end);
  // The signal may have come while the files were written.
  if (tests.signal?.aborted) end();
  const watch = killWhenStill(jest, files);
  try {
    const [code, signal] = await once(jest, 'close');
    tests.signal?.throwIfAborted();
    return await readRun(files, watch.wasStill() ? 'stood still' : `ended (${signal ?? `exit code ${code}`})`);
  } finally {
    watch.stop();
    tests.signal?.removeEventListener('abort', end);
    await said.close();
  }
}

const filesIn = (folder: string): RunFiles => ({
  report: join(folder, 'report.json'),
  note: join(folder, 'note.txt'),
  events: join(folder, 'events.txt'),
  said: join(folder, 'said.txt'),
});

function spawnJest(
  folder: string,
  tests: TestsToRun,
  { files, stderr }: { files: RunFiles; stderr: number },
): ChildProcess {
  const { SHARED_POSTGRES: _, ...env } = process.env;
  const { sharedPostgres } = tests;
  return spawn(process.execPath, commandOf(tests, files.report), {
    cwd: folder,
    env: {
      ...env,
      CONTROL_NOTE: files.note,
      CONTROL_EVENTS: files.events,
      ...(sharedPostgres === undefined ? {} : { SHARED_POSTGRES: sharedPostgres }),
    },
    stdio: ['ignore', 'ignore', stderr],
    timeout: RUN_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
}

function commandOf({ kind, file, title, testTimeoutMs }: TestsToRun, output: string): string[] {
  const pattern = title?.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return [
    '--disable-warning=ExperimentalWarning',
    '--experimental-vm-modules',
    join('node_modules', 'jest', 'bin', 'jest.js'),
    ...['--selectProjects', kind, '--runInBand', '--forceExit'],
    ...['--testTimeout', String(testTimeoutMs), '--json', '--outputFile', output],
    ...['--env', join('<rootDir>', 'test', 'controls', 'run', 'watched-tests.mjs')],
    ...(pattern === undefined ? [] : ['-t', pattern]),
    ...['--runTestsByPath', join('test', kind, `${file}.test.ts`)],
  ];
}

async function readRun(files: RunFiles, howItEnded: string): Promise<TestRun> {
  const report = await readFile(files.report, 'utf8').catch(() => undefined);
  if (report === undefined) {
    const broken = `the runner ${howItEnded} ${await readFile(files.note, 'utf8')}`;
    return { results: [], broken, printed: await readFile(files.said, 'utf8') };
  }
  const { testResults } = JSON.parse(report) as JestReport;
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  const unloaded = testResults.find(({ message, assertionResults }) => message !== '' && assertionResults.length === 0);
  if (unloaded) return { results: [], broken: 'the file of the test can not be loaded', printed: unloaded.message };
  const own = await readOwnFailures(files.events);
  return {
    results: results
      .filter(({ status }) => status === 'passed' || status === 'failed')
      .map(result => ({ ...result, ...(own.has(result.fullName) && { own: own.get(result.fullName) as OwnFailure }) })),
  };
}

/** Reads the failures of tests in their own functions, by their full names. */
async function readOwnFailures(events: string): Promise<Map<string, OwnFailure>> {
  const lines = (await readFile(events, 'utf8').catch(() => '')).split('\n').filter(line => line !== '');
  const failures = lines.map(line => JSON.parse(line) as { failed?: string } & OwnFailure);
  return new Map(
    failures.flatMap(({ failed, message, isAssertion }) =>
      failed === undefined ? [] : [[failed, { message, isAssertion }]],
    ),
  );
}
