import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { writePage } from '../support/written-page.js';
import type { Bug } from './bug.js';
import { BUGS } from './bugs.js';
import { MONEY_BUGS } from './money-bugs.js';
import { createScratch, type Scratch } from './scratch.js';

// `npm run controls`: makes each bug in a copy of the sources, and demands that the test which is there for it fails. A test
// that can't fail proves nothing, nor does one that always fails: undamaged, each has to pass first. With words, only the bugs
// that have one of them in their name, and the table keeps what it says of the others.

/** What the table says of a bug that no test catches. */
const NOBODY = '**nobody**';

const TABLE = join(checkout, 'docs', 'negative-controls.md');

interface Control extends Bug {
  caught: boolean;
  seconds: number;
  /** The first line of what the test said, for whoever wonders whether it failed for the right reason. */
  said: string;
}

interface JestReport {
  testResults: { assertionResults: { fullName: string; status: string; failureMessages: string[] }[] }[];
}

type Result = JestReport['testResults'][number]['assertionResults'][number];

/** A test that a bug makes hang has not said that it is one, in ms. */
const RUN_LIMIT_MS = 60_000;

/** Runs tests of one file; one that didn't run is not among the results. */
async function run(folder: string, kind: string, file: string, titles: string[]): Promise<Result[]> {
  const output = join(folder, 'report.json');
  await writeFile(output, '{"testResults":[]}');
  const path = join('test', kind, `${file}.test.ts`);
  const pattern = titles.map(title => title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const jest = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--experimental-vm-modules',
      join('node_modules', 'jest', 'bin', 'jest.js'),
      ...['--selectProjects', kind, '--runTestsByPath', path, '-t', pattern, '--json', '--outputFile', output],
    ],
    { cwd: folder, stdio: 'ignore', timeout: RUN_LIMIT_MS, killSignal: 'SIGKILL' },
  );
  await once(jest, 'close');
  const report = JSON.parse(await readFile(output, 'utf8')) as JestReport;
  const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  return results.filter(({ status }) => status === 'passed' || status === 'failed');
}

/** @throws Error when a test fails without any bug, or isn't there */
async function expectAllPass(folder: string, bugs: Bug[]): Promise<void> {
  for (const { kind, file } of new Map(bugs.map(({ caughtBy }) => [caughtBy.file, caughtBy])).values()) {
    const titles = bugs.filter(({ caughtBy }) => caughtBy.file === file).map(({ caughtBy }) => caughtBy.title);
    const results = await run(folder, kind, file, titles);
    for (const title of titles) {
      const own = results.filter(({ fullName }) => fullName.includes(title));
      const passes = own.length > 0 && own.every(({ status }) => status === 'passed');
      if (!passes) throw new Error(`without any bug, ${kind}/${file} has no test that passes: ${title}`);
    }
  }
}

async function failureOf(folder: string, { kind, file, title }: Bug['caughtBy']): Promise<string | undefined> {
  const results = await run(folder, kind, file, [title]);
  const failed = results.find(({ fullName, status }) => fullName.includes(title) && status === 'failed');
  return failed && `${failed.failureMessages[0] ?? ''}`.split('\n')[0];
}

async function control(scratch: Scratch, bug: Bug): Promise<Control> {
  const startedAt = performance.now();
  const said = await scratch.damaged(bug.edits, () => failureOf(scratch.folder, bug.caughtBy));
  const seconds = (performance.now() - startedAt) / 1_000;
  return { ...bug, caught: said !== undefined, seconds, said: said ?? 'no test failed' };
}

/** The rows of the last run by the bug, so that a run of a few bugs keeps the others'. */
async function readRows(): Promise<Map<string, string>> {
  const text = await readFile(TABLE, 'utf8').catch(() => '');
  const rows = text.split('\n').filter(line => line.startsWith('| '));
  return new Map(rows.map(row => [row.split(' | ')[0]?.slice(2).trim() ?? '', row]));
}

const rowOf = ({ bug, caught, seconds, caughtBy: { kind, file, title } }: Control): string =>
  `| ${bug} | ${caught ? `\`${kind}/${file}\`: ${title}` : NOBODY} | ${seconds.toFixed(1)} |`;

function tableOf(rows: string[]): string {
  return [
    '# Negative controls',
    '',
    `Written by \`npm run controls\`: ${rows.filter(row => !row.includes(NOBODY)).length} of ${rows.length} bugs caught.`,
    'Each was made in a copy of the sources, and the test that is there for it was run: its title begins as below; it had',
    'passed without the bug, and failed with it. The time is that of the run of that test, with the start of its stores.',
    '',
    '| Bug | Caught by | s |',
    '| --- | --- | ---: |',
    ...rows,
    '',
  ].join('\n');
}

const words = process.argv.slice(2);
const all = [...BUGS, ...MONEY_BUGS];
const wanted = all.filter(({ bug }) => words.length === 0 || words.some(word => bug.includes(word)));
const scratch = await createScratch();
const controls: Control[] = [];
try {
  await expectAllPass(scratch.folder, wanted);
  for (const bug of wanted) {
    const done = await control(scratch, bug);
    controls.push(done);
    const { caught, seconds, said } = done;
    process.stdout.write(`${caught ? 'caught' : 'MISSED'} ${seconds.toFixed(1).padStart(5)} s  ${bug.bug}: ${said}\n`);
  }
} finally {
  await scratch.remove();
}
const rows = await readRows();
for (const one of controls) rows.set(one.bug, rowOf(one));
await writePage(TABLE, tableOf(all.flatMap(({ bug }) => rows.get(bug) ?? [])));
const missed = controls.filter(({ caught }) => !caught).length;
process.stdout.write(`${controls.length - missed} of ${controls.length} caught\n`);
process.exitCode = missed === 0 ? 0 : 1;
