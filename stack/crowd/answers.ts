import { build, type Histogram } from 'hdr-histogram-js';
import type { Answer, AnyCall } from './storefront.js';

const LATENCY_MAX_US = 60_000_000;
const US_PER_MS = 1_000;

/** The latency of one kind of call, from the click to the whole answer. It includes the wait for a free connection. */
export interface Latency {
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Counts every answer that a crowd gets. It takes no more memory for a large crowd than for a small one. */
export class Answers {
  readonly #counts = new Map<string, number>();
  readonly #histograms = new Map<AnyCall, Histogram>();

  /** Counts one answer. */
  note(call: AnyCall, answer: Answer, tookMs: number): void {
    const name = `${call} ${answer.http} ${answer.status ?? answer.code ?? ''}`.trimEnd();
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    const histogram = this.#histograms.get(call) ?? build({ highestTrackableValue: LATENCY_MAX_US });
    this.#histograms.set(call, histogram);
    histogram.recordValue(Math.min(LATENCY_MAX_US, Math.max(1, Math.round(tookMs * US_PER_MS))));
  }

  /** Returns the counts by answer, with names such as `buy 202 queued` or `buy 409 sold_out`. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort());
  }

  /** Returns the latency of each kind of call that was made. */
  latency(): Partial<Record<AnyCall, Latency>> {
    return Object.fromEntries([...this.#histograms].map(([call, histogram]) => [call, latencyOf(histogram)]));
  }
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
