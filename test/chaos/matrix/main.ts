import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { CRASH_MODES, type CrashMode } from '#core/process/crash-point.js';
import { writePage } from '../../support/pages/written-page.js';
import { type CrashResult, runCrashCase } from './crash-case.js';
import { startCrashRig } from './crash-rig.js';
import { CASES, type Case, casesOf, cellOf, exitCodeOf, failuresOf, judged } from './matrix-verdict.js';

// `npm run chaos:matrix`: every crash point in every mode that it has. With arguments, only the crash points or modes that they
// name: `npm run chaos:matrix -- place.store kill`. The other cells of the table keep the result of the last run.

const TABLE = join(checkout, 'docs', 'crash-matrix.md');

/**
 * The number of cases at once, each on stores of its own. A case mostly waits. With six at once, two cores are half busy, and the
 * whole matrix takes a quarter of an hour.
 */
const AT_ONCE = 6;

/** The cell of a mode that a crash point doesn't have. */
const NONE = '-';

const hasMode = (name: string, mode: CrashMode): boolean => CASES.some(([one, way]) => one === name && way === mode);

/** The cells of each crash point, by mode. */
type Table = Map<string, Map<CrashMode, string>>;

function readTable(): Table {
  const table: Table = new Map();
  try {
    for (const line of readFileSync(TABLE, 'utf8').split('\n')) {
      const [, name, ...cells] = line.split('|').map(cell => cell.trim());
      const point = name?.replaceAll('`', '') ?? '';
      table.set(point, new Map(CRASH_MODES.map((mode, i) => [mode, cells[i] ?? ''])));
    }
  } catch {
    // This is the first run, which has no table yet.
  }
  return table;
}

function textOf(table: Table): string {
  const lines = [...new Set(CASES.map(([name]) => name))].map(name => {
    const cells = CRASH_MODES.map(mode => (hasMode(name, mode) ? (table.get(name)?.get(mode) ?? '') : NONE));
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  return `# Crash matrix

Written by \`npm run chaos:matrix\`. A process fails at a crash point (core/process/crash-point.ts) in the way of the column, while buyers
get passes, buy, pay and cancel, orders expire, buyers who don't pay come back until they get no more, and maintenance cleans up after an
outage. Then the process is started again, and every promise is checked. A process that hangs is killed after 2 s, as a supervisor would do. A worker is paused for 17 s, which is longer than the lock of
its job. A claim may end as lost only in sales of which the outage took data away. A cell has the time until everything was at rest and
right again, from the moment when the process was whole and the buyers were done.
A dash: a crash point between two steps has no reply that could be lost, and no step that could run twice.

| Crash point | ${CRASH_MODES.join(' | ')} |
| --- |${' ---: |'.repeat(CRASH_MODES.length)}
${lines.join('\n')}
`;
}

const table = readTable();
const queue = readCases();
const total = queue.length;
const results: CrashResult[] = [];

/** Reads the cases that the arguments name. */
function readCases(): Case[] {
  try {
    return casesOf(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}

function tell(result: CrashResult): void {
  const { name, mode, violations } = result;
  table.set(name, (table.get(name) ?? new Map<CrashMode, string>()).set(mode, cellOf(result)));
  results.push(result);
  process.stderr.write(`${results.length}/${total} ${name} ${mode}: ${cellOf(result)}\n`);
  for (const violation of violations) process.stderr.write(`  ${violation}\n`);
  writeFileSync(TABLE, textOf(table));
}

/** Runs one case after the other until none is left. A case that can't be carried out is broken, too. */
async function runQueued(): Promise<void> {
  const rig = await startCrashRig();
  try {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const [name, mode] = next;
      tell(
        await runCrashCase(rig, name, mode).then(judged, error => {
          return { name, mode, reached: false, restMs: 0, violations: [`the case itself: ${error}`] };
        }),
      );
    }
  } finally {
    await rig.close();
  }
}

await Promise.all(Array.from({ length: Math.min(AT_ONCE, total) }, runQueued));
await writePage(TABLE, textOf(table));
const failures = failuresOf(results);
process.stderr.write(failures.length === 0 ? 'nothing is broken\n' : `${failures.length} failed or were not reached\n`);
process.exit(exitCodeOf(results));
