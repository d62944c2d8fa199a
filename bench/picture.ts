import type { Measured } from './benchmark.js';
import { type Series, seriesOf } from './measure/round.js';

const WIDTH = 760;
const LABEL_WIDTH = 300;
const VALUE_WIDTH = 90;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 26;
const TITLE_HEIGHT = 34;
const BARS_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;

/** An SVG in an <img> can't read the page's colours, only the colour scheme that the reader's system prefers. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .limit { fill: #8c959f } .ours { fill: #2da44e } .other { fill: #bf8700 }
  .spread { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .spread { stroke: #e6edf3 } }`;

interface Bar {
  label: string;
  key: string;
  kind: 'limit' | 'ours' | 'other';
}

interface Chart {
  title: string;
  bars: Bar[];
}

const ANSWERS: Chart = {
  title: 'Requests answered per second, by one process, every buyer’s token verified',
  bars: [
    { label: 'the limit: node:http and the token check', key: 'bare.perSecond', kind: 'limit' },
    { label: 'Dropline: sold out', key: 'refusals.perSecond', kind: 'ours' },
    { label: 'Dropline: a holder clicks again', key: 'repeats.perSecond', kind: 'ours' },
    { label: 'Dropline: a unit is won', key: 'wins.perSecond', kind: 'ours' },
    { label: 'Dropline: order status', key: 'polls.perSecond', kind: 'ours' },
    { label: 'list and hash, command by command', key: 'classic.perSecond', kind: 'other' },
    { label: 'Express, one script each: sold out', key: 'expressRefusals.perSecond', kind: 'other' },
    { label: 'Express, one script each: won', key: 'expressWins.perSecond', kind: 'other' },
    { label: 'a lock around the purchase', key: 'lock.perSecond', kind: 'other' },
  ],
};

const ORDERS: Chart = {
  title: 'Orders stored per second',
  bars: [
    { label: 'the limit: multi-row INSERT, nothing else', key: 'rawInsert4.perSecond', kind: 'limit' },
    { label: 'Dropline: a worker drains a backlog', key: 'drain.perSecond', kind: 'ours' },
    { label: 'Dropline: end to end, all on one machine', key: 'endToEnd.perSecond', kind: 'ours' },
  ],
};

const SHORT: Chart = {
  title: ANSWERS.title,
  bars: ANSWERS.bars.filter(({ key }) => /^(bare|refusals|wins|classic|expressWins)\./.test(key)),
};

/** The charts of a picture: all of them, or the short one of the project's front page. */
export const PICTURES = { full: [ANSWERS, ORDERS], short: [SHORT] };

/**
 * Draws charts below each other, each figure as a bar up to its median and a line over its spread.
 *
 * @returns an SVG
 */
export function drawPicture(measured: Measured, charts: Chart[]): string {
  let top = 0;
  const parts = [`<title>${charts.map(({ title }) => title).join('; ')}</title>`];
  for (const chart of charts) {
    parts.push(drawChart(chart, measured, top));
    top += TITLE_HEIGHT + chart.bars.length * ROW_HEIGHT + BAR_HEIGHT;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" role="img">\n${parts.join('\n')}\n<style>${STYLE}\n</style>\n</svg>\n`;
}

function drawChart({ title, bars }: Chart, { rounds }: Measured, top: number): string {
  const series = bars.map(({ key }) => seriesOf(rounds[key] ?? [0]));
  const scale = BARS_WIDTH / Math.max(...series.map(({ max }) => max), 1);
  const rows = bars.map((bar, i) => drawBar(bar, series[i] as Series, scale, top + TITLE_HEIGHT + i * ROW_HEIGHT));
  return [`<text class="title" x="0" y="${top + BAR_HEIGHT}">${title}</text>`, ...rows].join('\n');
}

function drawBar({ label, kind }: Bar, { median, min, max }: Series, scale: number, top: number): string {
  const at = (value: number) => (LABEL_WIDTH + value * scale).toFixed(1);
  const middle = top + BAR_HEIGHT / 2;
  const baseline = top + BAR_HEIGHT - 4;
  return [
    `<text x="0" y="${baseline}">${label}</text>`,
    `<rect class="${kind}" x="${LABEL_WIDTH}" y="${top}" width="${(median * scale).toFixed(1)}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<line class="spread" x1="${at(min)}" x2="${at(max)}" y1="${middle}" y2="${middle}"/>`,
    `<text x="${Number(at(max)) + 8}" y="${baseline}">${Math.round(median).toLocaleString('en')}</text>`,
  ].join('');
}
