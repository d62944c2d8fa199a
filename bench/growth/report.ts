import { rounded, shown } from '../measure/number.js';
import type { Grown } from './growth.js';

/**
 * Writes a table for each question: the figures at each size, and their slope.
 *
 * @returns Markdown
 */
export function growthTable(grown: readonly Grown[]): string {
  return grown.map(tableOf).join('\n');
}

function tableOf({ name, of, points }: Grown): string {
  const keys = Object.keys(points[0]?.figures ?? {});
  const rows = points.map(({ size, figures }) => [shown(size), ...keys.map(key => shown(figures[key] ?? Number.NaN))]);
  const slopes = [
    'slope',
    ...keys.map(key => shown(slopeOf(points.map(({ size, figures }) => [size, figures[key] ?? 0])))),
  ];
  const lines = [[`${name}: ${of}`, ...keys], [':-', ...keys.map(() => '-:')], ...rows, slopes];
  return `${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

/**
 * Returns the exponent of growth between the two largest sizes: 0 for a figure that stays, 1 for one that doubles with the size,
 * 2 for one that grows fourfold.
 */
export function slopeOf(points: readonly (readonly [size: number, figure: number])[]): number {
  const [[size, figure], [largerSize, largerFigure]] = points.slice(-2) as [[number, number], [number, number]];
  return Math.log(largerFigure / figure) / Math.log(largerSize / size);
}

/** The line of JSON: every figure by question, size and name. */
export function growthLine(grown: readonly Grown[]): object {
  return Object.fromEntries(
    grown.flatMap(({ name, points }) =>
      points.flatMap(({ size, figures }) =>
        Object.entries(figures).map(([figure, value]) => [`${name}.${size}.${figure}`, rounded(value)]),
      ),
    ),
  );
}
