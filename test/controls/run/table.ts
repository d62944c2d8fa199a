import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { writePage } from '../../support/pages/written-page.js';
import type { Bug } from '../bug.js';
import { type ControlResult, isCaught, type Said } from './try-bugs.js';

const TABLE = join(checkout, 'docs', 'negative-controls.md');

/** The cell of a bug that no test catches. */
const NOBODY = '**nobody**';

/** Reads the rows of the last run by their bugs. */
async function readRows(): Promise<Map<string, string>> {
  const text = await readFile(TABLE, 'utf8').catch(() => '');
  const rows = text.split('\n').filter(line => line.startsWith('| '));
  return new Map(rows.map(row => [row.split(' | ')[0]?.slice(2).trim() ?? '', row]));
}

/** Returns the cell of one way: its time, or that the bug was missed, or that it could not be tried. */
const cellOf = ({ caught, isError, seconds }: Said): string =>
  caught ? seconds.toFixed(1) : isError ? '**error**' : '**missed**';

const rowOf = (result: ControlResult): string => {
  const { bug, alone, whole, caughtBy } = result;
  const { kind, file, title } = caughtBy;
  const test = isCaught(result) ? `\`${kind}/${file}\`: ${title}` : NOBODY;
  return `| ${bug} | ${test} | ${cellOf(alone)} | ${cellOf(whole)} |`;
};

function textOf(rows: string[]): string {
  return [
    '# Negative controls',
    '',
    `Written by \`npm run controls\`: ${rows.filter(row => !row.includes(NOBODY)).length} of ${rows.length} bugs caught.`,
    'Each bug was made in a copy of the sources. Then the test that is there for the bug was run twice, alone and with its whole file;',
    'its title begins as below. The test passed without the bug both times, and failed with it by itself both times. A time is that of one run,',
    'with the start of its stores.',
    '',
    '| Bug | Caught by | alone, s | with its file, s |',
    '| --- | --- | ---: | ---: |',
    ...rows,
    '',
  ].join('\n');
}

/**
 * Writes the results into docs/negative-controls.md. The rows of other bugs stay as the last run has left them.
 *
 * @param bugs all bugs, in the order of the rows
 */
export async function writeTable(bugs: readonly Bug[], results: readonly ControlResult[]): Promise<void> {
  const rows = await readRows();
  for (const result of results) rows.set(result.bug, rowOf(result));
  await writePage(TABLE, textOf(bugs.flatMap(({ bug }) => rows.get(bug) ?? [])));
}
