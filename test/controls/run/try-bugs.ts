import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { createScratch, type Edit, type Scratch } from '../../support/scratch.js';
import type { Bug, Control } from '../bug.js';
import { Compiler } from './compiler.js';
import { judge, type Said, whyUnproven } from './judge.js';
import { inLanes } from './lanes.js';
import { runTests, type TestRun } from './run-tests.js';

export type { Said } from './judge.js';

/** Copies of the sources in use at once: a run mostly waits for its stores. */
const LANES = 2;

/** The time-out of a test without any bug, in ms. */
const CALM_TIMEOUT_MS = 120_000;

/** A test that a bug makes wait may take this much longer than the longest one of its file, in ms. Then it has failed. */
const LONGER_MS = 20_000;

/**
 * The time that a test awaits a fact, in ms: less than a test may take longer, so that a test whose fact never comes fails by its
 * own assertion, and not by its time-out.
 */
const EVENTUALLY: Edit = {
  file: 'test/support/eventually.ts',
  find: 'const DEADLINE_MS = 60_000;',
  replace: 'const DEADLINE_MS = 15_000;',
};

/** A bug, and whether its test caught it in both ways. */
export interface ControlResult extends Bug {
  /** The test was run alone. */
  alone: Said;
  /** The test was run with its whole file. */
  whole: Said;
}

/** Tells whether a bug was caught in both ways. A test that fails in one way only is masked by other tests, or broken by them. */
export const isCaught = ({ alone, whole }: ControlResult): boolean => alone.caught && whole.caught;

/** Tells whether a control could not be tried: its bug does not compile, its test does not exist, or something beside it failed. */
export const isWrong = ({ alone, whole }: ControlResult): boolean => Boolean(alone.isError || whole.isError);

/** Returns the exit code of a run: 0 if every bug was caught in both ways. */
export const exitCodeOf = (results: readonly ControlResult[]): 0 | 1 => (results.every(isCaught) ? 0 : 1);

/** The settings of a run. */
export interface ControlsRun {
  /** The URL of a Postgres with the tables of these sources, for bugs that change no table. */
  sharedPostgres: string | undefined;
  /** Receives each result as it comes. */
  tell(result: ControlResult): void;
}

/**
 * Makes bugs in copies of the sources, and runs the test of each alone and with its whole file. Before that, each test has to pass
 * without any bug in both ways: one that doesn't is an error of its control.
 *
 * @throws Error what broke in one lane, after the other has ended in order
 */
export async function tryBugs(bugs: readonly Bug[], run: ControlsRun): Promise<ControlResult[]> {
  const scratches = await Promise.all(Array.from({ length: Math.min(LANES, bugs.length) }, createScratch));
  const compiler = new Compiler();
  try {
    const calm = new CalmRuns(run.sharedPostgres);
    await inLanes(scratches, calmRunsOf(bugs), (scratch, tests, signal) => calm.try(scratch, tests, signal));
    const results: ControlResult[] = [];
    await inLanes(scratches, bugs, async (scratch, bug, signal) => {
      const unproven = calm.unproven(bug.caughtBy);
      const longestMs = calm.longestMs(bug.caughtBy);
      const result =
        unproven === undefined
          ? await tryBug(scratch, bug, { ...run, compiler, longestMs, signal })
          : inBothWays(bug, unproven);
      results.push(result);
      run.tell(result);
    });
    return results;
  } finally {
    await compiler.close();
    await Promise.all(scratches.map(scratch => scratch.remove()));
  }
}

const keyOf = ({ kind, file }: Pick<Control, 'kind' | 'file'>): string => `${kind}/${file}`;

/** The tests of one file that are there for bugs. */
interface CalmRun {
  control: Control;
  titles: string[];
}

/** Returns each file with all its titles. */
function calmRunsOf(bugs: readonly Bug[]): CalmRun[] {
  const files = new Map<string, CalmRun>();
  for (const { caughtBy: control } of bugs) {
    const run = files.get(keyOf(control)) ?? { control, titles: [] };
    if (!run.titles.includes(control.title)) run.titles.push(control.title);
    files.set(keyOf(control), run);
  }
  return [...files.values()];
}

/** Runs without any bug. */
class CalmRuns {
  readonly #sharedPostgres: string | undefined;
  readonly #longestMs = new Map<string, number>();
  /** Why a test proves nothing, by its file and title. */
  readonly #unproven = new Map<string, string>();

  constructor(sharedPostgres: string | undefined) {
    this.#sharedPostgres = sharedPostgres;
  }

  /** Returns the time of the longest test of a file, in ms. */
  longestMs(control: Control): number {
    return this.#longestMs.get(keyOf(control)) ?? 0;
  }

  /** Says why a failure of a test would prove nothing, or nothing if it passes without any bug. */
  unproven(control: Control): string | undefined {
    return this.#unproven.get(`${keyOf(control)} ${control.title}`);
  }

  /** Runs the tests of a file in both ways. */
  async try({ folder }: Scratch, { control, titles }: CalmRun, signal: AbortSignal): Promise<void> {
    const { kind, file } = control;
    const tests = { kind, file, testTimeoutMs: CALM_TIMEOUT_MS, sharedPostgres: this.#sharedPostgres, signal };
    const whole = await runTests(folder, tests);
    for (const title of titles) {
      const why = whyUnproven(whole, title) ?? whyUnproven(await runTests(folder, { ...tests, title }), title, 'alone');
      if (why !== undefined) this.#unproven.set(`${keyOf(control)} ${title}`, `without the bug: ${why}`);
    }
    this.#longestMs.set(keyOf(control), Math.max(0, ...whole.results.map(({ duration }) => duration ?? 0)));
  }
}

/** The settings of the runs with one bug. */
interface BugRun {
  sharedPostgres: string | undefined;
  compiler: Compiler;
  /** The time of the longest test of the file without the bug, in ms. */
  longestMs: number;
  signal: AbortSignal;
}

async function tryBug(scratch: Scratch, bug: Bug, run: BugRun): Promise<ControlResult> {
  const { kind, file, title } = bug.caughtBy;
  // A bug in the tables needs a database of its own.
  const changesTables = bug.edits.some(edit => edit.file.startsWith('prisma/'));
  const tests = {
    kind,
    file,
    testTimeoutMs: run.longestMs + LONGER_MS,
    sharedPostgres: changesTables ? undefined : run.sharedPostgres,
    signal: run.signal,
  };
  try {
    return await scratch.withEdits([...bug.edits, EVENTUALLY], async () => {
      const broken = await brokenText(scratch.folder, bug, run.compiler);
      if (broken !== undefined) return inBothWays(bug, broken);
      return {
        ...bug,
        alone: await timed(title, () => runTests(scratch.folder, { ...tests, title })),
        whole: await timed(title, () => runTests(scratch.folder, tests)),
      };
    });
  } finally {
    // A test may have compiled the bug into what processes run.
    await rm(join(scratch.folder, 'dist'), { recursive: true });
    await cp(join(checkout, 'dist'), join(scratch.folder, 'dist'), { recursive: true });
  }
}

/** Says that the text of a bug does not compile. */
async function brokenText(folder: string, { edits }: Bug, compiler: Compiler): Promise<string | undefined> {
  for (const { file } of edits) {
    const error = await compiler.errorIn(folder, file);
    if (error !== undefined) return `the bug does not compile: ${error}`;
  }
  return undefined;
}

/** The result of a control that is wrong itself, so that nothing was run. */
function inBothWays(bug: Bug, said: string): ControlResult {
  const wrong: Said = { caught: false, isError: true, seconds: 0, said };
  return { ...bug, alone: wrong, whole: wrong };
}

async function timed(title: string, run: () => Promise<TestRun>): Promise<Said> {
  const startedAt = performance.now();
  const done = await run();
  return { ...judge(done, title), seconds: (performance.now() - startedAt) / 1_000 };
}
