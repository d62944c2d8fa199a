import { shown } from '../measure/number.js';
import type { Grown } from './growth.js';

const PANEL = { width: 250, height: 150 };
const GAP = 20;
const COLUMNS = 3;
const TEXT_HEIGHT = 20;
/** The part of a panel that the curve may take. */
const PLOT = { left: 10, right: 10, top: 2 * TEXT_HEIGHT, bottom: TEXT_HEIGHT };

/** An SVG in an <img> can't read the page's colours, only the colour scheme that the reader's system prefers. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .end { text-anchor: end }
  polyline { fill: none; stroke: #2da44e; stroke-width: 2 } circle { fill: #2da44e } rect { fill: none; stroke: #8c959f66 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }`;

/** One figure of a question, at each size. */
interface Line {
  title: string;
  of: string;
  points: { size: number; value: number }[];
}

/**
 * Draws a panel for each figure. Both axes are logarithmic and a tenfold is as long on both, so a line at 45 degrees grows as the size
 * does, and a level one stays.
 *
 * @returns an SVG
 */
export function drawGrowth(grown: readonly Grown[]): string {
  const lines = grown.flatMap(linesOf);
  const [width, height] = [PANEL.width + GAP, PANEL.height + GAP];
  const panels = lines.map((line, i) => {
    const [x, y] = [(i % COLUMNS) * width, Math.floor(i / COLUMNS) * height];
    return `<g transform="translate(${x} ${y})">${drawPanel(line)}</g>`;
  });
  const rows = Math.ceil(lines.length / COLUMNS);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${COLUMNS * width} ${rows * height}" role="img">
<title>How cost grows</title>
${panels.join('\n')}
<style>${STYLE}
</style>
</svg>
`;
}

function linesOf({ name, of, points }: Grown): Line[] {
  const figures = Object.keys(points[0]?.figures ?? {});
  return figures.map(figure => ({
    title: `${name}: ${figure}`,
    of,
    // A difference of two measurements may be lost in their noise, and be negative.
    points: points.flatMap(({ size, figures: { [figure]: value = 0 } }) => (value > 0 ? [{ size, value }] : [])),
  }));
}

function drawPanel({ title, of, points }: Line): string {
  const spots = spotsOf(points);
  const [first, last] = [points[0], points.at(-1)];
  const line = spots.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ');
  const dots = spots.map(([x, y]) => `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3"/>`).join('');
  return [
    `<rect width="${PANEL.width}" height="${PANEL.height}" rx="4"/>`,
    `<text class="title" x="10" y="16">${title}</text>`,
    `<text x="10" y="34">${shown(first?.value ?? 0)}</text>`,
    `<text class="end" x="${PANEL.width - 10}" y="34">${shown(last?.value ?? 0)}</text>`,
    `<polyline points="${line}"/>${dots}`,
    `<text x="10" y="${PANEL.height - 6}">${shown(first?.size ?? 0)}</text>`,
    `<text class="end" x="${PANEL.width - 10}" y="${PANEL.height - 6}">${shown(last?.size ?? 0)} ${of}</text>`,
  ].join('');
}

/** Returns where each point is in its panel. The lowest one is at the bottom. */
function spotsOf(points: Line['points']): [x: number, y: number][] {
  const logs = points.map(({ size, value }) => [Math.log10(size), Math.log10(value)] as const);
  const [sizes, values] = [logs.map(([size]) => size), logs.map(([, value]) => value)];
  const [left, low] = [Math.min(...sizes), Math.min(...values)];
  const plot = { width: PANEL.width - PLOT.left - PLOT.right, height: PANEL.height - PLOT.top - PLOT.bottom };
  const scale = Math.min(
    plot.width / Math.max(Math.max(...sizes) - left, 0.1),
    plot.height / Math.max(Math.max(...values) - low, 0.1),
  );
  return logs.map(([size, value]) => [
    PLOT.left + (size - left) * scale,
    PANEL.height - PLOT.bottom - (value - low) * scale,
  ]);
}
