import { describe, expect, test } from '@jest/globals';
import { compareFigures, isMissed, medianInterval, type Round } from '../../../bench/against/ratio.js';

const oneTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

/** Rounds in which the old checkout always makes 1,000 claims a second and the new one `ratios` times as many. */
const roundsOf = (figure: string, ratios: number[]): Round[] =>
  ratios.map(ratio => ({ old: { [figure]: 1_000 }, new: { [figure]: 1_000 * ratio } }));

const comparisonOf = (figure: string, ratios: number[]) => {
  const [comparison] = compareFigures(roundsOf(figure, ratios));
  if (!comparison) throw new Error(`${figure} was not compared`);
  return comparison;
};

describe('the 95 % interval of a median', () => {
  // K. R. Nair, Table of confidence interval for the median, Sankhyā 4 (1940): the rank k by the number of values.
  test.each([
    [6, 1],
    [8, 1],
    [9, 2],
    [11, 2],
    [12, 3],
    [15, 4],
    [20, 6],
    [25, 8],
    [50, 18],
    [65, 25],
  ])('of %i values goes from the %ith lowest to the %ith highest', (n, k) => {
    expect(medianInterval(oneTo(n).reverse())).toEqual({ low: k, high: n + 1 - k });
  });

  test('holds the median in 95 % of all ways in which 9 values can lie around it', () => {
    const ways = Array.from({ length: 2 ** 9 }, (_, way) => oneTo(9).map(i => ((way >> (i - 1)) & 1 ? i : -i)));
    const covered = ways.map(medianInterval).filter(({ low, high }) => low <= 0 && high >= 0);
    expect(covered.length / ways.length).toBeCloseTo(0.9609, 4);
  });

  test('does not exist for five values', () => {
    expect(() => medianInterval(oneTo(5))).toThrow(RangeError);
  });
});

describe('a comparison', () => {
  const noise = [0.9, 0.94, 0.97, 0.99, 1, 1.01, 1.03, 1.06, 1.4];

  test('divides new by old within each round, so that a slow round cancels out', () => {
    const rounds = oneTo(9).map(i => ({ old: { winsPerSecond: 1_000 / i }, new: { winsPerSecond: 1_020 / i } }));
    const [comparison] = compareFigures(rounds);
    expect(comparison?.ratio).toBeCloseTo(1.02);
    expect(comparison?.interval.low).toBeCloseTo(1.02);
    expect(comparison?.interval.high).toBeCloseTo(1.02);
  });

  test('gives the medians, and an interval without the lowest and the highest ratio', () => {
    expect(comparisonOf('winsPerSecond', noise)).toEqual({
      figure: 'winsPerSecond',
      better: 'higher',
      old: 1_000,
      new: 1_000,
      ratio: 1,
      interval: { low: 0.94, high: 1.06 },
    });
  });

  test('leaves out a figure that a round lacks', () => {
    const rounds = roundsOf('winsPerSecond', noise).map(round => ({
      ...round,
      old: { ...round.old, winApiMicros: 60 },
    }));
    expect(compareFigures(rounds).map(({ figure }) => figure)).toEqual(['winsPerSecond']);
  });

  test('leaves out a CPU time that was NaN or 0 in a round', () => {
    expect(compareFigures(roundsOf('winApiMicros', [...noise, Number.NaN]))).toEqual([]);
    expect(compareFigures(oneTo(9).map(() => ({ old: { winApiMicros: 0 }, new: { winApiMicros: 0 } })))).toEqual([]);
  });
});

describe('a promise of 0.97', () => {
  test('is missed by rates whose whole interval is lower', () => {
    const slower = [0.89, 0.9, 0.9, 0.91, 0.92, 0.93, 0.95, 0.96, 1.2];
    expect(isMissed(comparisonOf('winsPerSecond', slower), 0.97)).toBe(true);
  });

  test('is kept by a median of 0.9 whose interval reaches 0.97', () => {
    const unsure = [0.7, 0.8, 0.85, 0.9, 0.9, 0.95, 0.96, 0.97, 1.2];
    expect(isMissed(comparisonOf('winsPerSecond', unsure), 0.97)).toBe(false);
  });

  test('is missed by costs whose whole interval is above 1 / 0.97', () => {
    const dearer = [0.9, 1.04, 1.05, 1.06, 1.07, 1.08, 1.09, 1.1, 1.2];
    expect(isMissed(comparisonOf('winApiMicros', dearer), 0.97)).toBe(true);
    expect(isMissed(comparisonOf('winsPerSecond', dearer), 0.97)).toBe(false);
  });

  test('is kept by costs that fell', () => {
    expect(isMissed(comparisonOf('claimP99Ms', Array(9).fill(0.5)), 0.97)).toBe(false);
  });
});
