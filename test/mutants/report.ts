import { join } from 'node:path';
import { checkout } from '#core/process/checkout.js';
import { writePage } from '../support/pages/written-page.js';
import type { Mark } from './marks/mark.js';
import type { Piece } from './piece.js';
import type { Area, Target } from './targets.js';
import { add, intervalOf, percentOf, type Score } from './verdict.js';

const PAGE = join(checkout, 'docs', 'mutants.md');

/** The end of a mutant in a report. */
export interface Reported {
  target: Target;
  piece: Piece;
  state: 'caught' | 'timed out' | 'survived' | 'invalid' | 'equivalent' | 'untried';
  mark?: Mark;
}

const NONE: Score = { mutants: 0, caught: 0, equivalent: 0 };

/** Counts mutants. Those that no parser takes, or that no run has tried yet, count as nothing. */
export function scoreOf(reported: readonly Reported[]): Score {
  const count = (...states: Reported['state'][]) => reported.filter(({ state }) => states.includes(state)).length;
  return {
    mutants: reported.length - count('invalid', 'untried'),
    caught: count('caught', 'timed out'),
    equivalent: count('equivalent'),
  };
}

/** Counts the mutants of each area. */
export function scoresByArea(reported: readonly Reported[]): Map<Area, Score> {
  const scores = new Map<Area, Score>();
  for (const one of reported) {
    const { area } = one.target;
    scores.set(area, add(scores.get(area) ?? NONE, scoreOf([one])));
  }
  return scores;
}

/** Returns the last line of a run with `--json`. */
export function formatJson(reported: readonly Reported[]): string {
  const { mutants, caught, equivalent } = scoreOf(reported);
  const survivors = reported
    .filter(({ state }) => state === 'survived')
    .map(({ piece: { file, lineNumber, operator, original, replacement } }) => ({
      file,
      line: lineNumber,
      operator,
      original,
      replacement,
    }));
  return JSON.stringify({ mutants, caught, equivalent, survivors });
}

const cell = (text: string): string => text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|').replaceAll('`', "'");

const short = (text: string): string => {
  const line = cell(text);
  return line.length > 70 ? `${line.slice(0, 67)}...` : line;
};

function rowOf(name: string, reported: readonly Reported[]): string {
  const score = scoreOf(reported);
  const count = (state: Reported['state']) => reported.filter(one => one.state === state).length;
  const hasAny = score.mutants > score.equivalent;
  const [low, high] = intervalOf(score).map(percent => percent.toFixed(1));
  const cells = [
    name,
    score.mutants,
    score.caught,
    count('timed out'),
    score.equivalent,
    count('survived'),
    hasAny ? percentOf(score).toFixed(1) : '',
    hasAny ? `${low} to ${high}` : '',
    count('invalid'),
  ];
  return `| ${cells.join(' | ')} |`;
}

function tableOf(reported: readonly Reported[]): string[] {
  const areas = [...new Set(reported.map(({ target }) => target.area))];
  const rows = areas.flatMap(area => {
    const own = reported.filter(({ target }) => target.area === area);
    const names = [...new Set(own.map(({ target }) => target.name))];
    const parts = names.map(name =>
      rowOf(
        name,
        own.filter(({ target }) => target.name === name),
      ),
    );
    return [...parts, rowOf(`**${area}**`, own)];
  });
  return [
    '| Part | Mutants | Caught | of them timed out | Equivalent | Survived | % | 95 % interval | Invalid |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |',
    ...rows,
  ];
}

function survivorsOf(reported: readonly Reported[]): string[] {
  const survivors = reported.filter(({ state }) => state === 'survived');
  if (survivors.length === 0) return ['None.'];
  const rows = survivors.map(({ piece, mark }) => {
    const { file, lineNumber, operator, original, replacement } = piece;
    const change = `\`${short(original)}\` becomes ${replacement.trim() === '' ? 'nothing' : `\`${short(replacement)}\``}`;
    return `| \`${file}\`:${lineNumber} | ${cell(operator)} | ${change} | ${cell(mark?.reason ?? 'no test yet')} |`;
  });
  return ['| Spot | Operator | Change | Reason |', '| --- | --- | --- | --- |', ...rows];
}

function equivalentsOf(reported: readonly Reported[]): string[] {
  const reasons = new Map<string, number>();
  for (const { state, mark } of reported) {
    if (state === 'equivalent' && mark) reasons.set(mark.reason, (reasons.get(mark.reason) ?? 0) + 1);
  }
  if (reasons.size === 0) return ['None.'];
  const rows = [...reasons].toSorted(([, a], [, b]) => b - a);
  return ['| Mutants | Reason |', '| ---: | --- |', ...rows.map(([reason, count]) => `| ${count} | ${cell(reason)} |`)];
}

/** Counts the mutants that no run has tried yet. */
export const countUntried = (reported: readonly Reported[]): number =>
  reported.filter(({ state }) => state === 'untried').length;

/** A page of a run that is not at its end says so. */
function untriedOf(reported: readonly Reported[]): string[] {
  const count = countUntried(reported);
  return count === 0 ? [] : [`**${count} of ${reported.length} mutants are not tried yet.**`, ''];
}

/**
 * Writes docs/mutants.md.
 *
 * @param seed the seed of the sample of the rest
 */
export async function writeReport(reported: readonly Reported[], seed: string): Promise<void> {
  const page = [
    '# Mutants',
    '',
    `Written by \`npm run mutants\` (seed ${seed}). A mutant is one small change of the product that a test should notice. Money and`,
    'scripts are changed in full, and the rest by a sample in which each part has its share. [The tests](../CONTRIBUTING.md#mutants)',
    'say how mutants are made and tried, and how the results of several machines are put together.',
    '',
    ...untriedOf(reported),
    ...tableOf(reported),
    '',
    '`%` is the share of the caught ones in those that are not equivalent. Invalid ones have texts that no parser takes, or are',
    'migrations that leave the tables as they are; they count as nothing.',
    '',
    '## Survivors',
    '',
    ...survivorsOf(reported),
    '',
    '## Equivalent',
    '',
    'No test can notice these, as they change nothing that anybody sees. `test/mutants/marks.ts` names each.',
    '',
    ...equivalentsOf(reported),
    '',
  ];
  await writePage(PAGE, page.join('\n'));
}
