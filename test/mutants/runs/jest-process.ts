import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { reaper } from '#stack/processes/reaper.js';

/** Jest keeps something of each run, so a process is replaced after this many. */
const RUNS_MAX = 40;
/** A test that awaits something without an end fails with its own name, in ms. Tests with processes have longer waits. */
const TEST_LIMIT_MS = 60_000;
const PROCESS_TEST_LIMIT_MS = 120_000;

/** A file of tests after its run. */
export interface TestRun {
  test: string;
  ms: number;
  /** The mark of each test's name, and its time in ms. */
  testsMs: [mark: string, ms: number][];
  failure?: { title: string; message: string };
}

interface Reply {
  results?: TestRun[];
  error?: string;
}

/** The files that jest runs. */
export interface TestRequest {
  kind: string;
  tests: readonly string[];
  /** The marks of tests that don't run, by their files: they do not reach the mutant. */
  leftOut?: Record<string, string[]>;
  /** The URL of the database that integration tests copy. */
  database?: string;
  /** After this time the run counts as timed out, in ms. */
  limitMs: number;
}

/** Jest in a process of its own, in a copy of the sources. */
export class JestProcess {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #runs = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Runs files of tests of one kind, up to the first test that fails.
   *
   * @returns `timed out` when the files took longer than their limit: the process is gone, and the next run gets another one
   * @throws Error when jest itself fails
   */
  async run({ kind, tests, leftOut = {}, database, limitMs }: TestRequest): Promise<TestRun[] | 'timed out'> {
    const child = await this.#ready();
    const over = new AbortController();
    const { signal } = over;
    const message = once(child, 'message', { signal }).then(([reply]) => reply as Reply);
    const ended = once(child, 'exit', { signal }).then((): Reply => ({ error: 'the process of jest ended' }));
    const late = setTimeout(limitMs, 'timed out' as const, { signal });
    for (const one of [message, ended, late]) one.catch(() => undefined);
    const testTimeout = ['unit', 'integration'].includes(kind) ? TEST_LIMIT_MS : PROCESS_TEST_LIMIT_MS;
    child.send({ kind, tests, leftOut, database, testTimeout });
    const reply = await Promise.race([message, ended, late]).finally(() => over.abort());
    if (reply === 'timed out') {
      await this.stop();
      return reply;
    }
    if (!reply.results) {
      await this.stop();
      // A mutant may end the process that runs it: process.exit in a test.
      return [{ test: tests[0] ?? '', ms: 0, testsMs: [], failure: { title: '', message: reply.error ?? '' } }];
    }
    return reply.results;
  }

  /** Kills the process. Its stores end with it. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async #ready(): Promise<ChildProcess> {
    this.#runs += 1;
    if (this.#runs > RUNS_MAX) {
      await this.stop();
      this.#runs = 1;
    }
    this.#child ??= await this.#start();
    return this.#child;
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(join('test', 'mutants', 'runs', 'jest-child.mjs'), {
      cwd: this.#folder,
      env: { ...process.env, NODE_OPTIONS: '' },
      execArgv: ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // A mutant that never ends doesn't notice that we are gone.
    const pid = child.pid ?? 0;
    await reaper.guard({ pid, signal: 'SIGKILL', graceMs: 0 });
    child.once('exit', () => void reaper.forget(pid).catch(() => undefined));
    return child;
  }
}
