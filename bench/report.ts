import type { Measured } from './benchmark.js';
import { machineLine } from './measure/machine.js';
import { rounded, shown } from './measure/number.js';
import { ratioOf, type Series, seriesOf } from './measure/round.js';

/** The fields of the line of JSON, each a median. */
export type Summary = Record<string, number>;

/** Each ratio, by the figures that it divides. */
const RATIOS: Record<string, [over: string, under: string]> = {
  refusalsVsBare: ['refusals.perSecond', 'bare.perSecond'],
  winsVsBare: ['wins.perSecond', 'bare.perSecond'],
  refusalsVsBareTurn: ['refusals.perSecond', 'bareTurn.perSecond'],
  winsVsBareTurn: ['wins.perSecond', 'bareTurn.perSecond'],
  repeatsVsBare: ['repeats.perSecond', 'bare.perSecond'],
  pollsVsBare: ['polls.perSecond', 'bare.perSecond'],
  winsVsExpress: ['wins.perSecond', 'expressWins.perSecond'],
  refusalsVsExpress: ['refusals.perSecond', 'expressRefusals.perSecond'],
  winsVsClassic: ['wins.perSecond', 'classic.perSecond'],
  winsVsLock: ['wins.perSecond', 'lock.perSecond'],
  strictWinsVsWins: ['strictWins.perSecond', 'wins.perSecond'],
  winsVsLua: ['wins.perSecond', 'luaWins.perSecond'],
  refusalsVsLua: ['refusals.perSecond', 'luaRefusals.perSecond'],
  // One statement after the other; and four at once, like the worker, when only Postgres needs the two cores.
  drainVsRawInsert: ['drain.perSecond', 'rawInsert1.perSecond'],
  drainPooledVsDrain: ['drainPooled.perSecond', 'drain.perSecond'],
  drainVsRawInsert4: ['drain.perSecond', 'rawInsert4.perSecond'],
  claimCostMillionVsHundred: ['claimCost1000000.micros', 'claimCost100.micros'],
  greedyP99VsAllowed: ['greedy.p99', 'greedy.allowedP99'],
  forgedP99VsAllowed: ['forged.p99', 'forged.allowedP99'],
};

const FIGURES: Record<string, string> = {
  barePerSecond: 'bare.perSecond',
  bareTurnPerSecond: 'bareTurn.perSecond',
  refusalsPerSecond: 'refusals.perSecond',
  winsPerSecond: 'wins.perSecond',
  strictWinsPerSecond: 'strictWins.perSecond',
  repeatsPerSecond: 'repeats.perSecond',
  pollsPerSecond: 'polls.perSecond',
  expressWinsPerSecond: 'expressWins.perSecond',
  expressRefusalsPerSecond: 'expressRefusals.perSecond',
  classicPerSecond: 'classic.perSecond',
  lockPerSecond: 'lock.perSecond',
  luaWinsPerSecond: 'luaWins.perSecond',
  luaRefusalsPerSecond: 'luaRefusals.perSecond',
  drainPerSecond: 'drain.perSecond',
  rawInsertPerSecond: 'rawInsert1.perSecond',
  rawInsert4PerSecond: 'rawInsert4.perSecond',
  endToEndPerSecond: 'endToEnd.perSecond',
  endToEndAcceptedPerSecond: 'endToEnd.acceptedPerSecond',
  endToEndBacklog: 'endToEnd.backlog',
  bytesPerWinner: 'drain.bytesPerWinner',
  bytesPerUnplaced: 'drain.bytesPerUnplaced',
  naiveOversold: 'naive.oversold',
  naiveOverdrawn: 'naive.overdrawn',
  droplineOversold: 'dropline.oversold',
  claimP50Ms: 'latency.p50',
  claimP99Ms: 'latency.p99',
  claimP999Ms: 'latency.p999',
  memoryMegabytesAtHalf: 'memory.megabytesAtHalf',
  memoryMegabytesAtEnd: 'memory.megabytesAtEnd',
  greedyAnsweredPerSecond: 'greedy.answeredPerSecond',
  greedyIdleP99Ms: 'greedy.idleP99',
  greedyP99Ms: 'greedy.p99',
  forgedPerSecond: 'forged.refusedPerSecond',
  forgedCoreBusy: 'forged.busy',
  forgedIdleP99Ms: 'forged.idleP99',
  forgedP99Ms: 'forged.p99',
  dropsPerSecond: 'drops.onePerSecond',
  dropsThreePerSecond: 'drops.threePerSecond',
  dropsSixPerSecond: 'drops.sixPerSecond',
  dropsThreeVsOne: 'drops.threeVsOne',
  dropsSixVsOne: 'drops.sixVsOne',
  streamsStanding: 'streams.standing',
  streamsIdleStallMs: 'streams.idleStall',
  streamsOpenStallMs: 'streams.openStall',
  streamsBareStallMs: 'streams.bareStall',
  streamsWakeStallMs: 'streams.wakeStall',
  streamsStallOverIdleMs: 'streams.overIdle',
};

/** The project's targets. */
const TARGETS: Record<string, { least: number } | { most: number }> = {
  refusalsVsBare: { least: 0.9 },
  winsVsBare: { least: 1.05 },
  repeatsVsBare: { least: 0.8 },
  pollsVsBare: { least: 0.5 },
  winsVsExpress: { least: 2.5 },
  strictWinsVsWins: { least: 0.9 },
  winsVsLua: { least: 1 },
  refusalsVsLua: { least: 1 },
  refusalsVsExpress: { least: 4 },
  drainPerSecond: { least: 15_000 },
  drainVsRawInsert: { least: 0.4 },
  drainPooledVsDrain: { least: 0.9 },
  endToEndPerSecond: { least: 6_000 },
  claimCostMillionVsHundred: { most: 1.15 },
  bytesPerWinner: { most: 250 },
  claimP99Ms: { most: 10 },
  greedyAnsweredPerSecond: { most: 30 },
  greedyP99VsAllowed: { most: 1 },
  forgedPerSecond: { least: 9_500 },
  forgedP99VsAllowed: { most: 1 },
  dropsThreeVsOne: { least: 0.9 },
  streamsStanding: { most: 4 },
  streamsStallOverIdleMs: { most: 50 },
  naiveOversold: { least: 1 },
  droplineOversold: { most: 0 },
};

/** Returns the reported ratios and figures with their spread. Each ratio divides two figures of one round. */
export function seriesByField({ rounds }: Measured): Record<string, Series> {
  const ratios = Object.entries(RATIOS).map(([field, [over, under]]) => [field, ratioOf(rounds[over], rounds[under])]);
  const figures = Object.entries(FIGURES).map(([field, key]) => [field, seriesOf(rounds[key] ?? [])]);
  return Object.fromEntries([...ratios, ...figures].filter(([, series]) => (series as Series).values.length > 0));
}

/** Returns the medians alone. */
export function summaryOf(measured: Measured): Summary {
  const series = Object.entries(seriesByField(measured));
  return Object.fromEntries(series.map(([field, { median }]) => [field, rounded(median)]));
}

/** Writes the report as a table in Markdown. */
export function reportOf(measured: Measured): string {
  const { machine } = measured;
  const rows = Object.entries(seriesByField(measured)).map(
    ([field, { median, min, max }]) =>
      `| ${field} | ${shown(median)} | ${shown(min)} – ${shown(max)} | ${targetOf(field)} | ${verdictOf(field, median)} |`,
  );
  return [
    `${machineLine(machine)}; ${machine.commit}`,
    '',
    '| | median | spread | target | |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function targetOf(field: string): string {
  const target = TARGETS[field];
  if (!target) return '';
  return 'least' in target ? `≥ ${shown(target.least)}` : `≤ ${shown(target.most)}`;
}

function verdictOf(field: string, value: number): string {
  const target = TARGETS[field];
  if (!target) return '';
  return ('least' in target ? value >= target.least : value <= target.most) ? 'met' : 'missed';
}
