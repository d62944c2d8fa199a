import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCompiled } from '../runs/compiled.js';
import { saidBy } from '../runs/failure.js';
import { inWorkshops } from '../runs/run.js';
import type { Workshop } from '../runs/workshop.js';
import { instrument } from './instrument.js';
import { kindOf } from './nearest.js';
import type { Reach, Reached } from './reach.js';

/** Code that may be mutated, and code that runs it. Tests are not instrumented. */
const INSTRUMENTED =
  /^(core|apps\/(api|worker|admin|cli)|stack|bench)\/.*(?<!\.d)\.ts$|^core\/redis\/lua\/.*\.lua$|^apps\/web\/scripts\/.*\.js$|^test\/(chaos|simulation|upgrade|mutants)\/(?!.*\.test\.ts$).*\.ts$/;
/** Jest's own child and environment run outside of the tests, and a file of settings has no function. */
const LEFT_OUT = /^test\/mutants\/runs\//;
const LIMIT_MS = 600_000;
const KEPT_EACH = 10;

/**
 * Runs files of tests on instrumented sources, and keeps what they reach. Processes that the tests start are instrumented, too.
 *
 * @param at how many at a time
 * @param keep receives what was seen so far, now and then: a run takes long
 * @param tell receives a line for each file
 */
export async function measureReach(
  tests: readonly string[],
  texts: ReadonlyMap<string, string>,
  { at, keep, tell }: { at: number; keep(reach: Reach): Promise<void>; tell(line: string): void },
): Promise<void> {
  const reach = new Map<string, Reached>();
  const queue = tests.entries();
  await inWorkshops(at, async workshop => {
    const folder = await instrumentAll(workshop, texts);
    for (const [index, test] of queue) {
      const name = `${index}.txt`;
      await writeFile(join(folder, 'current'), name);
      await writeFile(join(folder, name), '');
      const runs = await workshop.run({ kind: kindOf(test), tests: [test], limitMs: LIMIT_MS });
      const [run] = runs === 'timed out' ? [] : runs;
      const hits = await readFile(join(folder, name), 'utf8');
      const reached = reachedBy(hits, run?.testsMs ?? []);
      // The tests after a failure are left out, so nothing is known of such a file.
      if (run && !run.failure) reach.set(test, { ms: run.ms, ...reached });
      const said = run?.failure ? `: fails, ${saidBy(run)}` : '';
      if (reach.size % KEPT_EACH === 0) await keep(reach);
      tell(`${index + 1}/${tests.length} ${test} reaches ${reached.spots.size} functions${said}`);
    }
  });
  await keep(reach);
}

/** Reads the lines of a file of hits: the mark of a test, or none, and the id of a spot. */
export function reachedBy(hits: string, testsMs: readonly (readonly [string, number])[]): Omit<Reached, 'ms'> {
  const lines = hits.split('\n').flatMap(line => {
    const [mark = '', id = ''] = line.split(' ');
    return id === '' ? [] : [{ mark, id }];
  });
  const idsOf = (...marks: string[]) => new Set(lines.filter(({ mark }) => marks.includes(mark)).map(({ id }) => id));
  // Hooks and processes are there for each of the tests.
  const tests = testsMs.map(([mark, ms]) => [mark, { ms, spots: idsOf('', mark) }] as const);
  return { spots: new Set(lines.map(({ id }) => id)), tests: new Map(tests) };
}

async function instrumentAll(workshop: Workshop, texts: ReadonlyMap<string, string>): Promise<string> {
  const { folder } = workshop.scratch;
  const hits = join(folder, '.hits');
  await mkdir(hits);
  await writeFile(join(hits, 'current'), 'before.txt');
  const chosen = [...texts].filter(([path]) => INSTRUMENTED.test(path) && !LEFT_OUT.test(path));
  await writeCompiled(folder, new Map(chosen.map(([path, text]) => [path, instrument(path, text, hits)])));
  return hits;
}
