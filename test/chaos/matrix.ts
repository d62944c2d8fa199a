import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CRASH_MODES,
  CRASH_POINTS,
  CRASH_STEPS,
  type CrashMode,
  type CrashPoint,
  type CrashStep,
} from '#core/crash-point.js';
import { checkout } from '../../apps/stack/checkout.js';
import { type CrashResult, openCrashRig, runCrashCase } from './crash-case.js';

// `npm run chaos:matrix`: every place × every mode that it has. With arguments, only the places or modes that are named:
// `npm run chaos:matrix -- place.store kill`. The table it writes is merged into that of the last run.

const TABLE = join(checkout, 'docs', 'crash-matrix.md');
const POINT_MODES = CRASH_MODES.slice(0, 4);

const wanted = process.argv.slice(2);
const isWanted = (name: string, mode: CrashMode): boolean => {
  const names = wanted.filter(word => !CRASH_MODES.some(one => one === word));
  const modes = wanted.filter(word => CRASH_MODES.some(one => one === word));
  return (names.length === 0 || names.includes(name)) && (modes.length === 0 || modes.includes(mode));
};

const cases: [CrashPoint | CrashStep, CrashMode][] = [
  ...CRASH_POINTS.flatMap(name => POINT_MODES.map((mode): [CrashPoint, CrashMode] => [name, mode])),
  ...CRASH_STEPS.flatMap(name => CRASH_MODES.map((mode): [CrashStep, CrashMode] => [name, mode])),
];

/** What a cell of the table says. */
const cellOf = ({ reached, violations, restMs }: CrashResult): string => {
  if (violations.length > 0) return '**broken**';
  return reached ? `${(restMs / 1_000).toFixed(1)} s` : 'not reached';
};

function readTable(): Map<string, string[]> {
  const rows = new Map<string, string[]>();
  try {
    for (const line of readFileSync(TABLE, 'utf8').split('\n')) {
      const [, name, ...cells] = line.split('|').map(cell => cell.trim());
      const place = name?.replaceAll('`', '') ?? '';
      if (cases.some(([known]) => known === place)) rows.set(place, cells.slice(0, CRASH_MODES.length));
    }
  } catch {
    // The first run.
  }
  return rows;
}

function writeTable(rows: ReadonlyMap<string, string[]>): void {
  const names = [...new Set(cases.map(([name]) => name))];
  const lines = names.map(name => `| \`${name}\` | ${(rows.get(name) ?? CRASH_MODES.map(() => '')).join(' | ')} |`);
  const text = `# Crash matrix

Written by \`npm run chaos:matrix\`. A process fails at the place (core/crash-point.ts) in the way of the column, in the middle of
buying, paying, cancelling, expiring, and cleaning up after an outage; it is started again, and then everything that was promised
is checked. A cell says after how long everything was at rest and right again, counted from the moment the process was whole.
A place between two steps has no reply that could be lost, and nothing that could be done twice.

| Place | ${CRASH_MODES.join(' | ')} |
| --- |${' ---: |'.repeat(CRASH_MODES.length)}
${lines.join('\n')}
`;
  writeFileSync(TABLE, text);
}

const rows = readTable();
const failures: CrashResult[] = [];
const rig = await openCrashRig();
try {
  for (const [name, mode] of cases.filter(([name, mode]) => isWanted(name, mode))) {
    const result = await runCrashCase(rig, name, mode);
    const row = rows.get(name) ?? CRASH_MODES.map(() => '');
    row[CRASH_MODES.indexOf(mode)] = cellOf(result);
    rows.set(name, row);
    process.stderr.write(`${name} ${mode}: ${cellOf(result)}\n`);
    for (const violation of result.violations) process.stderr.write(`  ${violation}\n`);
    if (result.violations.length > 0 || !result.reached) failures.push(result);
    writeTable(rows);
  }
} finally {
  await rig.close();
}
process.stderr.write(failures.length === 0 ? 'nothing is broken\n' : `${failures.length} failed or were not reached\n`);
process.exit(failures.length === 0 ? 0 : 1);
