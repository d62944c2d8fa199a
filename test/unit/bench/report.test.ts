import { describe, expect, test } from '@jest/globals';
import { compareFigures, type Round } from '../../../bench/against/ratio.js';
import { type Compared, comparisonLine, comparisonTable, exitCodeOf, missedBy } from '../../../bench/against/report.js';
import { reportOf } from '../../../bench/report.js';

const MACHINE = {
  cpu: 'EPYC',
  cores: 2,
  memoryGigabytes: 8,
  system: 'Linux 6',
  node: 'v20.20.0',
  redis: '7.0.15',
  postgres: '15.1',
  loadBefore: 0.1,
  commit: 'new',
};

/** Nine rounds: claims are made 2 % faster, and cost 10 % more CPU time. */
const rounds: Round[] = Array.from({ length: 9 }, (_, i) => ({
  old: { winsPerSecond: 8_000 + i, winApiMicros: 60 },
  new: { winsPerSecond: 1.02 * (8_000 + i), winApiMicros: 66 },
}));

const compared = (promise?: number): Compared => ({
  machine: MACHINE,
  commits: { old: '2d696df', new: 'ac04301' },
  comparisons: compareFigures(rounds),
  rounds: rounds.length,
  promise,
});

describe('the report of a comparison', () => {
  test('the line of JSON has the ratio of each figure, new over old, and its interval', () => {
    expect(comparisonLine(compared())).toEqual({
      against: { winsPerSecond: 1.02, winApiMicros: 1.1 },
      intervals: { winsPerSecond: [1.02, 1.02], winApiMicros: [1.1, 1.1] },
      rounds: 9,
      missed: [],
    });
  });

  test('a promise names the figures that miss it', () => {
    expect(missedBy(compared(0.97))).toEqual(['winApiMicros']);
    expect(comparisonLine(compared(0.97)).missed).toEqual(['winApiMicros']);
    expect(missedBy(compared(0.9))).toEqual([]);
  });

  test('a missed promise ends the comparison with 1, a kept one and none end it with 0', () => {
    expect(exitCodeOf(compared(0.97))).toBe(1);
    expect(exitCodeOf(compared(0.9))).toBe(0);
    expect(exitCodeOf(compared())).toBe(0);
  });

  test('the table says which direction is better, and whether a promise is kept', () => {
    const table = comparisonTable(compared(0.97));
    expect(table).toContain('old 2d696df, new ac04301; 9 rounds');
    expect(table).toContain('| winsPerSecond | higher | 8,004 | 8,164 | 1.020 | 1.020 – 1.020 | kept |');
    expect(table).toContain('| winApiMicros | lower | 60 | 66 | 1.100 | 1.100 – 1.100 | missed |');
  });
});

describe('the report of a benchmark', () => {
  const verdictsOf = (rounds: Record<string, number[]>): Record<string, string | undefined> => {
    const rows = reportOf({ machine: MACHINE, rounds }).split('\n').slice(4);
    return Object.fromEntries(
      rows.map(row => row.split(' | ')).map(cells => [cells[0]?.slice(2), cells[4]?.slice(0, -2)]),
    );
  };

  test('a target that is reached is met, in both directions', () => {
    const rounds = { 'drain.perSecond': [15_000], 'latency.p99': [10], 'dropline.oversold': [0] };
    expect(verdictsOf(rounds)).toEqual({ drainPerSecond: 'met', claimP99Ms: 'met', droplineOversold: 'met' });
  });

  test('a target that is not reached is missed, in both directions', () => {
    const rounds = { 'drain.perSecond': [14_999], 'latency.p99': [10.1], 'dropline.oversold': [1] };
    expect(verdictsOf(rounds)).toEqual({ drainPerSecond: 'missed', claimP99Ms: 'missed', droplineOversold: 'missed' });
  });

  test('the median of the ratios of each round is compared with the target', () => {
    const rounds = { 'refusals.perSecond': [80, 91, 190], 'bare.perSecond': [100, 100, 200] };
    expect(verdictsOf(rounds)).toMatchObject({ refusalsVsBare: 'met', refusalsPerSecond: '' });
  });
});
