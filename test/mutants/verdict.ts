import type { Area } from './targets.js';

/** The share of the mutants of a run, in percent, that tests must catch. */
export const LIMITS = { 'money and scripts': 98, 'the rest': 90, changed: 85, sample: 90 } as const;

/** The counts of some mutants. Those that no parser takes are left out. */
export interface Score {
  mutants: number;
  caught: number;
  equivalent: number;
}

/** Counts two lots together. */
export function add(one: Score, other: Score): Score {
  return {
    mutants: one.mutants + other.mutants,
    caught: one.caught + other.caught,
    equivalent: one.equivalent + other.equivalent,
  };
}

/** Returns the share that tests caught of the mutants that they could catch, in percent; 100 if there is none. */
export function percentOf({ mutants, caught, equivalent }: Score): number {
  const catchable = mutants - equivalent;
  return catchable === 0 ? 100 : (100 * caught) / catchable;
}

/** The normal deviate of a two-sided 95 % interval. */
const Z = 1.96;

/** Returns the 95 % interval of a sample's share, in percent, by Wilson. */
export function intervalOf({ mutants, caught, equivalent }: Score): [number, number] {
  const n = mutants - equivalent;
  if (n === 0) return [0, 100];
  const share = caught / n;
  const middle = (share + Z ** 2 / (2 * n)) / (1 + Z ** 2 / n);
  const half = (Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2))) / (1 + Z ** 2 / n);
  return [100 * Math.max(0, middle - half), 100 * Math.min(1, middle + half)];
}

/** The facts that a run is judged by. */
export interface Judged {
  scores: ReadonlyMap<Area, Score>;
  /** How the mutants were chosen. */
  choice: 'all' | 'sample' | 'changed';
  /** The files of tests that failed without a mutant. */
  red: readonly string[];
  /** The number of mutants that are still to be tried. */
  untried: number;
}

/** Lists what is wrong with a run; an empty list means exit code 0. */
export function missedBy({ scores, choice, red, untried }: Judged): string[] {
  const below = limitsOf(scores, choice).flatMap(([name, score, limit]) => {
    const percent = percentOf(score);
    return percent < limit ? [`${name}: ${percent.toFixed(1)} % caught, and at least ${limit} % must be`] : [];
  });
  const open = untried === 0 ? [] : [`${untried} mutants are not tried yet`];
  return [...below, ...open, ...red.map(test => `${test} fails without any mutant`)];
}

function limitsOf(scores: ReadonlyMap<Area, Score>, choice: Judged['choice']): [string, Score, number][] {
  if (choice === 'all') return [...scores].map(([area, score]) => [area, score, LIMITS[area]]);
  const all = [...scores.values()].reduce(add, { mutants: 0, caught: 0, equivalent: 0 });
  return [[choice === 'sample' ? 'the sample' : 'the changed lines', all, LIMITS[choice]]];
}
