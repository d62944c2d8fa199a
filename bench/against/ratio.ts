import { type Figures, ratioOf, seriesOf } from '../measure/round.js';

/** The least rounds of a comparison. The interval then reaches from the second lowest ratio to the second highest. */
export const ROUNDS_MIN = 9;

const CONFIDENCE = 0.95;

/** Every compared figure, and the direction in which it gets better. */
export const FIGURES: Record<string, 'higher' | 'lower'> = {
  winsPerSecond: 'higher',
  refusalsPerSecond: 'higher',
  repeatsPerSecond: 'higher',
  pollsPerSecond: 'higher',
  drainPerSecond: 'higher',
  endToEndPerSecond: 'higher',
  paidPerSecond: 'higher',
  claimP99Ms: 'lower',
  winApiMicros: 'lower',
  refusalApiMicros: 'lower',
  repeatApiMicros: 'lower',
  pollApiMicros: 'lower',
  orderWorkerMicros: 'lower',
};

/** The figures of both checkouts in one round. */
export interface Round {
  old: Figures;
  new: Figures;
}

/** An interval with both ends included. */
export interface Interval {
  low: number;
  high: number;
}

/** One figure of all rounds. */
export interface Comparison {
  figure: string;
  better: 'higher' | 'lower';
  /** The medians of both checkouts. */
  old: number;
  new: number;
  /** The median of the ratios new / old, each of one round. */
  ratio: number;
  /** The 95 % confidence interval of that median. */
  interval: Interval;
}

/**
 * Compares every figure that all rounds have. CPU times are missing where there is no /proc.
 *
 * @throws RangeError for fewer than 6 rounds; see {@link medianInterval}
 */
export function compareFigures(rounds: Round[]): Comparison[] {
  return Object.entries(FIGURES).flatMap(([figure, better]) => {
    const before = rounds.map(round => round.old[figure] ?? Number.NaN);
    const after = rounds.map(round => round.new[figure] ?? Number.NaN);
    const { values, median: ratio } = ratioOf(after, before);
    if (!values.every(Number.isFinite)) return [];
    const medians = { old: seriesOf(before).median, new: seriesOf(after).median };
    return [{ figure, better, ...medians, ratio, interval: medianInterval(values) }];
  });
}

/**
 * Returns a 95 % confidence interval of the median, from the k-th lowest to the k-th highest value. The number X of values
 * below the median is binomial (n, 1/2), so the interval covers the median with probability 1 - 2 P(X < k). This is exact
 * for independent values of any continuous distribution. k is the largest rank that covers 95 %.
 * Source: W. J. Conover, Practical Nonparametric Statistics, 3rd edition (1999), section 3.2.
 *
 * @throws RangeError for fewer than 6 values: their whole range covers less than 95 %
 */
export function medianInterval(values: number[]): Interval {
  const k = rankOf(values.length);
  if (k < 1) throw new RangeError(`${values.length} values are too few for a 95 % interval`);
  const sorted = [...values].sort((a, b) => a - b);
  return { low: sorted[k - 1] as number, high: sorted[sorted.length - k] as number };
}

/** Returns the largest k with P(X < k) <= 2.5 %, X binomial (n, 1/2); 0 if there is none. */
function rankOf(n: number): number {
  const tail = (1 - CONFIDENCE) / 2;
  let k = 0;
  let probability = 2 ** -n;
  for (let below = probability; below <= tail; below += probability) {
    k += 1;
    probability *= (n - k + 1) / k;
  }
  return k;
}

/**
 * Returns whether a figure misses a promise. A promise is missed only if the whole interval lies on its wrong side.
 *
 * @param promise the least ratio of figures that are better higher; 1 / promise is the greatest ratio of the others
 */
export function isMissed({ better, interval }: Comparison, promise: number): boolean {
  return better === 'higher' ? interval.high < promise : interval.low > 1 / promise;
}
