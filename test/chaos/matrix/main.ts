import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import {
  CRASH_MODES,
  CRASH_POINTS,
  CRASH_STEPS,
  type CrashMode,
  type CrashPoint,
  type CrashStep,
  POINT_MODES,
} from '#core/process/crash-point.js';
import { writePage } from '../../support/pages/written-page.js';
import { type CrashResult, runCrashCase } from './crash-case.js';
import { startCrashRig } from './crash-rig.js';

// `npm run chaos:matrix`: every crash point in every mode that it has. With arguments, only the crash points or modes that they
// name: `npm run chaos:matrix -- place.store kill`. The other cells of the table keep the result of the last run.

const TABLE = join(checkout, 'docs', 'crash-matrix.md');

/**
 * The number of cases at once, each on stores of its own. A case mostly waits. With six at once, two cores are half busy, and the
 * whole matrix takes a quarter of an hour.
 */
const AT_ONCE = 6;

/** Invariant 6: everything holds within this time after the process is whole and the buyers are done, in ms. */
const WHOLE_WITHIN_MS = 15_000;

/** The cell of a mode that a crash point doesn't have. */
const NONE = '-';

type Case = [name: CrashPoint | CrashStep, mode: CrashMode];

const wanted = process.argv.slice(2);
const isWanted = ([name, mode]: Case): boolean => {
  const names = wanted.filter(word => !CRASH_MODES.some(one => one === word));
  const modes = wanted.filter(word => CRASH_MODES.some(one => one === word));
  return (names.length === 0 || names.includes(name)) && (modes.length === 0 || modes.includes(mode));
};

const cases: Case[] = [
  ...CRASH_POINTS.flatMap(name => POINT_MODES.map((mode): Case => [name, mode])),
  ...CRASH_STEPS.flatMap(name => CRASH_MODES.map((mode): Case => [name, mode])),
];

const hasMode = (name: string, mode: CrashMode): boolean => cases.some(([one, way]) => one === name && way === mode);

/** Returns the cell of a case. */
const cellOf = ({ reached, violations, restMs }: CrashResult): string => {
  if (violations.length > 0) return '**broken**';
  return reached ? `${(restMs / 1_000).toFixed(1)} s` : 'not reached';
};

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
  const lines = [...new Set(cases.map(([name]) => name))].map(name => {
    const cells = CRASH_MODES.map(mode => (hasMode(name, mode) ? (table.get(name)?.get(mode) ?? '') : NONE));
    return `| \`${name}\` | ${cells.join(' | ')} |`;
  });
  return `# Crash matrix

Written by \`npm run chaos:matrix\`. A process fails at a crash point (core/process/crash-point.ts) in the way of the column, while buyers
buy, pay and cancel, orders expire, and maintenance cleans up after an outage. Then the process is started again, and every promise is
checked. A process that hangs is killed after 2 s, as a supervisor would do. A worker is paused for 17 s, which is longer than the lock of
its job. A claim may end as lost only in sales of which the outage took data away. A cell has the time until everything was at rest and
right again, from the moment when the process was whole and the buyers were done.
A dash: a crash point between two steps has no reply that could be lost, and no step that could run twice.

| Crash point | ${CRASH_MODES.join(' | ')} |
| --- |${' ---: |'.repeat(CRASH_MODES.length)}
${lines.join('\n')}
`;
}

const table = readTable();
const queue = cases.filter(isWanted);
const total = queue.length;
const failures: CrashResult[] = [];
let done = 0;

/** Adds the time until rest to the violations, if it was too long. */
function judged(result: CrashResult): CrashResult {
  if (result.restMs <= WHOLE_WITHIN_MS) return result;
  const late = `rest: only after ${result.restMs} ms, above ${WHOLE_WITHIN_MS}`;
  return { ...result, violations: [...result.violations, late] };
}

function tell(result: CrashResult): void {
  const { name, mode, reached, violations } = result;
  table.set(name, (table.get(name) ?? new Map<CrashMode, string>()).set(mode, cellOf(result)));
  if (violations.length > 0 || !reached) failures.push(result);
  done += 1;
  process.stderr.write(`${done}/${total} ${name} ${mode}: ${cellOf(result)}\n`);
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
process.stderr.write(failures.length === 0 ? 'nothing is broken\n' : `${failures.length} failed or were not reached\n`);
process.exit(failures.length === 0 ? 0 : 1);
