import type { Mutant } from '../mutant.js';
import { kindOf, type NearTests } from '../nearest/nearest.js';
import { parses } from './compiled.js';
import { isInvalid, isLate, saidBy } from './failure.js';
import type { TestRun } from './jest-process.js';
import { MIGRATION } from './tables.js';
import type { Workshop } from './workshop.js';

/** A file of tests may take this many times as long as without a mutant, and some more, in ms, before it counts as timed out. */
const TIMES_MAX = 5;
const MORE_MS = 15_000;
/** The time without a mutant of a file of tests that has not run yet, in ms. */
const UNKNOWN_MS = 10_000;

/** Without a mutant every file of tests ends within this time, also on a busy machine, in ms. */
const GREEN_LIMIT_MS = 300_000;

/** The end of a mutant. */
export interface Outcome {
  /** `timed out` counts as caught: a test that never ends is noticed. `invalid` counts as nothing. */
  state: 'caught' | 'timed out' | 'survived' | 'invalid';
  /** The file of tests that caught the mutant. */
  by?: string;
  /** The title of the test that failed, and its message. */
  said?: string;
  /** The files of tests that ran. */
  met: string[];
}

/** A mutant, and the tests that it meets. */
export interface Trial extends NearTests {
  mutant: Mutant;
  /** The text of its file. */
  text: string;
}

/** Runs mutants against tests, and makes sure that a test that fails passes without the mutant. */
export class Trials {
  /** The files of tests that failed without a mutant, and why. Nothing that they say counts. */
  readonly red = new Map<string, string>();
  /** The time of each file of tests that passed without a mutant in this run, in ms. */
  readonly #green = new Map<string, number>();
  readonly #knownMs: (test: string) => number | undefined;
  /** How many mutants of a file each file of tests has caught in this run. */
  readonly #catches = new Map<string, Map<string, number>>();

  /** @param knownMs how long a file of tests took in the last full run, if it is known */
  constructor(knownMs: (test: string) => number | undefined) {
    this.#knownMs = knownMs;
  }

  /** Tries a mutant with files of tests, up to the first that fails. */
  async try(workshop: Workshop, trial: Trial): Promise<Outcome> {
    const { mutant, tests } = trial;
    if (!parses(mutant.file, changedText(trial))) return { state: 'invalid', met: [] };
    if (MIGRATION.test(mutant.file)) {
      const outcome = await tryTables(workshop, trial);
      if (outcome) return outcome;
    }
    const catches = this.#catches.get(mutant.file) ?? new Map<string, number>();
    this.#catches.set(mutant.file, catches);
    const met: string[] = [];
    for (const group of groupsOf(tests, catches)) {
      met.push(...group);
      const failed = await this.#proven(workshop, group, trial);
      if (failed === undefined) continue;
      if (failed === 'timed out') return { state: 'timed out', by: group.join(' '), met };
      if (isInvalid(failed, mutant)) return { state: 'invalid', said: saidBy(failed), met };
      catches.set(failed.test, (catches.get(failed.test) ?? 0) + 1);
      return { state: 'caught', by: failed.test, said: saidBy(failed), met };
    }
    return { state: 'survived', met };
  }

  /** Returns a failure that a mutant causes: the test passes without it, and fails again if the machine may be the cause. */
  async #proven(workshop: Workshop, group: string[], trial: Trial): Promise<TestRun | 'timed out' | undefined> {
    const tests = group.filter(test => !this.red.has(test));
    if (tests.length === 0) return undefined;
    const failed = await this.#failureWith(workshop, tests, trial);
    if (failed === undefined || (failed !== 'timed out' && isInvalid(failed, trial.mutant))) return failed;
    const suspects = failed === 'timed out' ? tests : [failed.test];
    for (const test of suspects) await this.#expectGreen(workshop, test);
    if (suspects.some(test => this.red.has(test))) return this.#proven(workshop, group, trial);
    return failed === 'timed out' || isLate(failed) ? this.#failureWith(workshop, suspects, trial) : failed;
  }

  async #failureWith(workshop: Workshop, tests: string[], trial: Trial): Promise<TestRun | 'timed out' | undefined> {
    const kind = kindOf(tests[0] ?? '');
    const ms = tests.reduce((sum, test) => sum + this.#msOf(test), 0);
    const request = { kind, tests, leftOut: trial.leftOut, limitMs: TIMES_MAX * ms + MORE_MS };
    const runs = await workshop.withText(trial.mutant.file, changedText(trial), () => workshop.run(request));
    return runs === 'timed out' ? runs : runs.find(({ failure }) => failure !== undefined);
  }

  #msOf(test: string): number {
    return this.#green.get(test) ?? this.#knownMs(test) ?? UNKNOWN_MS;
  }

  /** A test that fails without any mutant proves nothing. It gets a second chance, as the machine may be busy. */
  async #expectGreen(workshop: Workshop, test: string): Promise<void> {
    if (this.#green.has(test)) return;
    let why = '';
    for (let chance = 1; chance <= 2; chance += 1) {
      const runs = await workshop.run({ kind: kindOf(test), tests: [test], limitMs: GREEN_LIMIT_MS });
      const failed = runs === 'timed out' ? runs : runs.find(({ failure }) => failure !== undefined);
      if (runs !== 'timed out' && failed === undefined) {
        this.#green.set(test, runs[0]?.ms ?? UNKNOWN_MS);
        return;
      }
      why = failed === undefined || failed === 'timed out' ? 'it does not end' : saidBy(failed);
    }
    this.red.set(test, why);
  }
}

/**
 * Makes the tables of a mutated migration. Tests can't notice one whose text makes the same tables as before, as a later migration
 * replaces what it changes, or as it only changes rows that older versions have written.
 */
async function tryTables(workshop: Workshop, trial: Trial): Promise<Outcome | undefined> {
  const [first = ''] = trial.tests;
  try {
    const isOther = await workshop.withText(trial.mutant.file, changedText(trial), () => workshop.changesTables());
    return isOther ? undefined : { state: 'invalid', said: 'the tables are the same', met: [] };
  } catch (error) {
    const said = String(error);
    // Each test with a database fails.
    return { state: /syntax error/.test(said) ? 'invalid' : 'caught', by: first, said, met: [first] };
  }
}

const changedText = ({ mutant, text }: Trial): string =>
  text.slice(0, mutant.start) + mutant.replacement + text.slice(mutant.end);

/**
 * Unit tests run together, as each takes milliseconds. The others start stores, and run one after the other: first those that caught
 * the most mutants of the same file.
 */
function groupsOf(tests: string[], catches: ReadonlyMap<string, number>): string[][] {
  const units = tests.filter(test => kindOf(test) === 'unit');
  const others = tests
    .filter(test => kindOf(test) !== 'unit')
    .toSorted((a, b) => (catches.get(b) ?? 0) - (catches.get(a) ?? 0))
    .map(test => [test]);
  return units.length > 0 ? [units, ...others] : others;
}
