import { describe, expect, test } from '@jest/globals';
import type { Grown } from '../../../bench/growth/growth.js';
import { drawGrowth } from '../../../bench/growth/picture.js';
import { growthLine, growthTable, slopeOf } from '../../../bench/growth/report.js';

describe('the slope of a figure', () => {
  test.each([
    ['0 if it stays', [1, 5], [10, 5], 0],
    ['1 if it grows as the size does', [10, 3], [1_000, 300], 1],
    ['2 if it grows fourfold as the size doubles', [5, 2], [10, 8], 2],
    ['below 0 if it shrinks', [10, 100], [100, 10], -1],
  ] as const)('is %s', (_, smaller, larger, slope) => {
    expect(slopeOf([[1, 1_000_000], smaller, larger])).toBeCloseTo(slope);
  });
});

describe('the report about growth', () => {
  const grown: Grown[] = [
    {
      name: 'idle',
      of: 'idle sales',
      points: [
        { size: 1, figures: { commands: 50 } },
        { size: 1_000, figures: { commands: 1_234.5 } },
      ],
    },
  ];

  test('has a row for each size, and the slopes', () => {
    expect(growthTable(grown)).toBe(
      '| idle: idle sales | commands |\n| :- | -: |\n| 1 | 50 |\n| 1,000 | 1,235 |\n| slope | 0.464 |\n',
    );
  });

  test('draws a panel for each figure, with the first and the last value', () => {
    const svg = drawGrowth([...grown, ...grown]);
    expect(svg.match(/<polyline /g)).toHaveLength(2);
    expect(svg.match(/<circle /g)).toHaveLength(4);
    for (const text of ['idle: commands', '>50<', '>1,235<', '>1,000 idle sales<']) expect(svg).toContain(text);
    expect(svg).not.toContain('NaN');
  });

  test('a figure that grows as the size does is a line at 45 degrees', () => {
    const points = [1, 10, 100].map(size => ({ size, figures: { ms: 3 * size } }));
    const [, line = ''] = /polyline points="([^"]+)"/.exec(drawGrowth([{ name: 'a', of: 'b', points }])) ?? [];
    const [x1 = 0, y1 = 0, ...more] = line.split(/[ ,]/).map(Number);
    const [x3 = 0, y3 = 0] = more.slice(-2);
    expect(x3 - x1).toBeCloseTo(y1 - y3);
    expect(x3).toBeGreaterThan(x1);
  });

  test('has every figure in its line of JSON', () => {
    expect(growthLine(grown)).toEqual({ 'idle.1.commands': 50, 'idle.1000.commands': 1_235 });
  });
});
