import { type Machine, machineLine } from '../measure/machine.js';
import { shown } from '../measure/number.js';
import { type Comparison, isMissed } from './ratio.js';

/** The result of a whole comparison. */
export interface Compared {
  machine: Machine;
  /** The git versions of both checkouts. */
  commits: { old: string; new: string };
  comparisons: Comparison[];
  rounds: number;
  /** The least ratio that was promised, if any. */
  promise: number | undefined;
}

/** The line of JSON. */
export interface AgainstSummary {
  /** The median ratio of each figure, new over old. */
  against: Record<string, number>;
  /** The 95 % interval of each ratio, as [low, high]. */
  intervals: Record<string, [number, number]>;
  rounds: number;
  /** The figures that miss the promise; empty without one. */
  missed: string[];
}

const RATIO_DIGITS = 3;

/** Returns the line of JSON. */
export function comparisonLine(compared: Compared): AgainstSummary {
  const { comparisons, rounds } = compared;
  const ratios = comparisons.map(({ figure, ratio }) => [figure, rounded(ratio)] as const);
  const intervals = comparisons.map(
    ({ figure, interval: { low, high } }) => [figure, [rounded(low), rounded(high)]] as const,
  );
  return {
    against: Object.fromEntries(ratios),
    intervals: Object.fromEntries(intervals) as AgainstSummary['intervals'],
    rounds,
    missed: missedBy(compared),
  };
}

/** Returns the names of the figures that miss the promise. */
export function missedBy({ comparisons, promise }: Compared): string[] {
  if (promise === undefined) return [];
  return comparisons.filter(comparison => isMissed(comparison, promise)).map(({ figure }) => figure);
}

/** Returns the exit code of a comparison: 0 if every figure keeps the promise. */
export function exitCodeOf(compared: Compared): 0 | 1 {
  return missedBy(compared).length === 0 ? 0 : 1;
}

/** Writes the comparison as a table in Markdown. */
export function comparisonTable(compared: Compared): string {
  const { machine, commits, comparisons, rounds, promise } = compared;
  const missed = missedBy(compared);
  const rows = comparisons.map(({ figure, better, old, new: now, ratio, interval }) => {
    const verdict = promise === undefined ? '' : missed.includes(figure) ? 'missed' : 'kept';
    const range = `${ratioText(interval.low)} – ${ratioText(interval.high)}`;
    return `| ${figure} | ${better} | ${shown(old)} | ${shown(now)} | ${ratioText(ratio)} | ${range} | ${verdict} |`;
  });
  return [
    `${machineLine(machine)}; old ${commits.old}, new ${commits.new}; ${rounds} rounds`,
    '',
    `| | better is | old | new | new / old | 95 % interval | ${promise === undefined ? '' : `promise ${promise}`} |`,
    '|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function rounded(ratio: number): number {
  return Number(ratioText(ratio));
}

function ratioText(ratio: number): string {
  return ratio.toFixed(RATIO_DIGITS);
}
