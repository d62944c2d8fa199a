import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { createScratch, type Scratch } from '../../support/scratch.js';
import type { Bug, Control } from '../bug.js';
import { runTests, type TestRun } from './run-tests.js';

/** Copies of the sources in use at once: a run mostly waits for its stores. */
const LANES = 2;

/** The time-out of a test without any bug, in ms. */
const CALM_TIMEOUT_MS = 120_000;

/** A test that a bug makes wait may take this much longer than the longest one of its file, in ms. Then it has failed. */
const LONGER_MS = 15_000;

/** The answer of a bug's test, when it was run in one way. */
export interface Said {
  caught: boolean;
  /** With the start of the stores. */
  seconds: number;
  /** The first line of the failure. It shows whether the test failed for the right reason. */
  said: string;
}

/** A bug, and whether its test caught it in both ways. */
export interface ControlResult extends Bug {
  /** The test was run alone. */
  alone: Said;
  /** The test was run with its whole file. */
  whole: Said;
}

/** Tells whether a bug was caught in both ways. A test that fails in one way only is masked by other tests, or broken by them. */
export const isCaught = ({ alone, whole }: ControlResult): boolean => alone.caught && whole.caught;

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
 * without any bug in both ways.
 *
 * @throws Error when a test fails without any bug, or doesn't exist
 */
export async function tryBugs(bugs: readonly Bug[], run: ControlsRun): Promise<ControlResult[]> {
  const scratches = await Promise.all(Array.from({ length: Math.min(LANES, bugs.length) }, createScratch));
  try {
    const calm = new CalmRuns(run.sharedPostgres);
    await inLanes(scratches, calmRunsOf(bugs), (scratch, { control, titles }) =>
      calm.expectPass(scratch, control, titles),
    );
    const results: ControlResult[] = [];
    await inLanes(scratches, bugs, async (scratch, bug) => {
      const result = await tryBug(scratch, bug, { ...run, longestMs: calm.longestMs(bug.caughtBy) });
      results.push(result);
      run.tell(result);
    });
    return results;
  } finally {
    await Promise.all(scratches.map(scratch => scratch.remove()));
  }
}

/** Does work in each copy, one piece after the other, until none is left. */
async function inLanes<T>(
  scratches: readonly Scratch[],
  work: readonly T[],
  run: (scratch: Scratch, piece: T) => Promise<void>,
): Promise<void> {
  const queue = [...work];
  const lane = async (scratch: Scratch): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(scratch, next);
  };
  await Promise.all(scratches.map(lane));
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

  constructor(sharedPostgres: string | undefined) {
    this.#sharedPostgres = sharedPostgres;
  }

  /** Returns the time of the longest test of a file, in ms. */
  longestMs(control: Control): number {
    return this.#longestMs.get(keyOf(control)) ?? 0;
  }

  /** @throws Error when a test fails, in one of both ways */
  async expectPass({ folder }: Scratch, { kind, file }: Control, titles: readonly string[]): Promise<void> {
    const tests = { kind, file, testTimeoutMs: CALM_TIMEOUT_MS, sharedPostgres: this.#sharedPostgres };
    const whole = await runTests(folder, tests);
    for (const title of titles) expectPassed(whole, title, `${kind}/${file}`);
    for (const title of titles) {
      expectPassed(await runTests(folder, { ...tests, title }), title, `${kind}/${file}, alone,`);
    }
    this.#longestMs.set(keyOf({ kind, file }), Math.max(...whole.results.map(({ duration }) => duration ?? 0)));
  }
}

function expectPassed({ results, broken }: TestRun, title: string, where: string): void {
  if (broken) throw new Error(`without any bug: ${where}: ${broken}`);
  const own = results.filter(({ fullName }) => fullName.includes(title));
  const passes = own.length > 0 && own.every(({ status }) => status === 'passed');
  if (!passes) throw new Error(`without any bug, ${where} has no test that passes: ${title}`);
}

/** The settings of the runs with one bug. */
interface BugRun {
  sharedPostgres: string | undefined;
  /** The time of the longest test of the file without the bug, in ms. */
  longestMs: number;
}

async function tryBug(scratch: Scratch, bug: Bug, { sharedPostgres, longestMs }: BugRun): Promise<ControlResult> {
  const { kind, file, title } = bug.caughtBy;
  // A bug in the tables needs a database of its own.
  const changesTables = bug.edits.some(edit => edit.file.startsWith('prisma/'));
  const tests = {
    kind,
    file,
    testTimeoutMs: longestMs + LONGER_MS,
    sharedPostgres: changesTables ? undefined : sharedPostgres,
  };
  try {
    return await scratch.withEdits(bug.edits, async () => ({
      ...bug,
      alone: await timed(title, () => runTests(scratch.folder, { ...tests, title })),
      whole: await timed(title, () => runTests(scratch.folder, tests)),
    }));
  } finally {
    // A test may have compiled the bug into what processes run.
    await rm(join(scratch.folder, 'dist'), { recursive: true });
    await cp(join(checkout, 'dist'), join(scratch.folder, 'dist'), { recursive: true });
  }
}

async function timed(title: string, run: () => Promise<TestRun>): Promise<Said> {
  const startedAt = performance.now();
  const { results, broken } = await run();
  const seconds = (performance.now() - startedAt) / 1_000;
  const failed = results.find(({ fullName, status }) => fullName.includes(title) && status === 'failed');
  if (!failed) return { caught: false, seconds, said: broken ?? 'no test failed' };
  return { caught: true, seconds, said: `${failed.failureMessages[0] ?? ''}`.split('\n')[0] ?? '' };
}
