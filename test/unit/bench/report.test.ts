import { describe, expect, test } from '@jest/globals';
import { compareFigures, type Round } from '../../../bench/against/ratio.js';
import { type Compared, comparisonLine, comparisonTable, missedBy } from '../../../bench/against/report.js';

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

  test('the table says which direction is better, and whether a promise is kept', () => {
    const table = comparisonTable(compared(0.97));
    expect(table).toContain('old 2d696df, new ac04301; 9 rounds');
    expect(table).toContain('| winsPerSecond | higher | 8,004 | 8,164 | 1.020 | 1.020 – 1.020 | kept |');
    expect(table).toContain('| winApiMicros | lower | 60 | 66 | 1.100 | 1.100 – 1.100 | missed |');
  });
});
