import { build, type Histogram } from 'hdr-histogram-js';
import type { Answer, Call } from './storefront.js';

const LATENCY_MAX_US = 60_000_000;
const US_PER_MS = 1_000;

/** How long one kind of call took, from the click to the whole answer, waiting for a free connection included. */
export interface Latency {
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Every answer a crowd got, counted: it takes no more memory for a large crowd than for a small one. */
export interface Answers {
  note(call: Call, answer: Answer, tookMs: number): void;
  /** How many of each, by `buy 202 queued` or `buy 409 sold_out`. */
  counts(): Record<string, number>;
  latency(): Partial<Record<Call, Latency>>;
}

/** @returns counts, all of them 0 */
export function countAnswers(): Answers {
  const counts = new Map<string, number>();
  const histograms = new Map<Call, Histogram>();
  return {
    note(call, answer, tookMs) {
      const name = `${call} ${answer.http} ${answer.status ?? answer.code ?? ''}`.trimEnd();
      counts.set(name, (counts.get(name) ?? 0) + 1);
      const histogram = histograms.get(call) ?? build({ highestTrackableValue: LATENCY_MAX_US });
      histograms.set(call, histogram);
      histogram.recordValue(Math.min(LATENCY_MAX_US, Math.max(1, Math.round(tookMs * US_PER_MS))));
    },
    counts: () => Object.fromEntries([...counts].sort()),
    latency: () => Object.fromEntries([...histograms].map(([call, histogram]) => [call, latencyOf(histogram)])),
  };
}

function latencyOf(histogram: Histogram): Latency {
  const ms = (us: number) => Math.round(us / (US_PER_MS / 10)) / 10;
  return {
    count: histogram.totalCount,
    p50Ms: ms(histogram.getValueAtPercentile(50)),
    p99Ms: ms(histogram.getValueAtPercentile(99)),
    maxMs: ms(histogram.maxValue),
  };
}
