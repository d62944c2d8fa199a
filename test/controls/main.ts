import { createScratch, type Scratch } from '../support/scratch.js';
import type { Bug, Control } from './bug.js';
import { BUGS } from './bugs.js';
import { runTests } from './run-tests.js';
import { type ControlResult, writeTable } from './table.js';

// `npm run controls` makes each bug in a copy of the sources, and demands that the test for it fails. A test that can't fail proves
// nothing, and neither does one that always fails. So each test has to pass without the bug first. With arguments, only the bugs
// with one of these words in their name are made.

/** @throws Error when a test fails without any bug, or doesn't exist */
async function expectAllPass(folder: string, bugs: Bug[]): Promise<void> {
  for (const control of new Map(bugs.map(({ caughtBy }) => [caughtBy.file, caughtBy])).values()) {
    const titles = bugs.filter(({ caughtBy }) => caughtBy.file === control.file).map(({ caughtBy }) => caughtBy.title);
    const results = await runTests(folder, control, titles);
    for (const title of titles) {
      const own = results.filter(({ fullName }) => fullName.includes(title));
      const passes = own.length > 0 && own.every(({ status }) => status === 'passed');
      if (!passes)
        throw new Error(`without any bug, ${control.kind}/${control.file} has no test that passes: ${title}`);
    }
  }
}

/** Runs the test of a bug, and returns the first line of its failure. */
async function failureOf(folder: string, control: Control): Promise<string | undefined> {
  const { title } = control;
  const results = await runTests(folder, control, [title]);
  const failed = results.find(({ fullName, status }) => fullName.includes(title) && status === 'failed');
  return failed && `${failed.failureMessages[0] ?? ''}`.split('\n')[0];
}

async function tryBug(scratch: Scratch, bug: Bug): Promise<ControlResult> {
  const startedAt = performance.now();
  const said = await scratch.withEdits(bug.edits, () => failureOf(scratch.folder, bug.caughtBy));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { ...bug, caught: said !== undefined, seconds, said: said ?? 'no test failed' };
}

const words = process.argv.slice(2);
const wanted = BUGS.filter(({ bug }) => words.length === 0 || words.some(word => bug.includes(word)));
const scratch = await createScratch();
const results: ControlResult[] = [];
try {
  await expectAllPass(scratch.folder, wanted);
  for (const bug of wanted) {
    const result = await tryBug(scratch, bug);
    results.push(result);
    const { caught, seconds, said } = result;
    process.stdout.write(`${caught ? 'caught' : 'MISSED'} ${seconds.toFixed(1).padStart(5)} s  ${bug.bug}: ${said}\n`);
  }
} finally {
  await scratch.remove();
}
await writeTable(BUGS, results);
const missed = results.filter(({ caught }) => !caught).length;
process.stdout.write(`${results.length - missed} of ${results.length} caught\n`);
process.exitCode = missed === 0 ? 0 : 1;
