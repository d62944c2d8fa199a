import type { Socket } from 'node:net';
import { build, type Histogram } from 'hdr-histogram-js';
import type { Latency } from './plan.js';

const MICROS = 1_000;
/** The longest latency that the histogram can hold, in µs: one minute. */
const LATENCY_MAX_MICROS = 60_000_000;

/** Sends `wanted` requests over one connection. */
export type Send = (socket: Socket, wanted: number) => void;

/**
 * Sends requests at a fixed rate and measures each latency from the scheduled time. A server that stalls can't hide the
 * requests that arrive meanwhile (coordinated omission).
 */
export class Schedule {
  readonly #intervalMs: number;
  readonly #dueMs = new Map<Socket, number[]>();
  readonly #histogram: Histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_MAX_MICROS,
    numberOfSignificantValueDigits: 3,
  });
  #timer: NodeJS.Timeout | undefined;

  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond;
  }

  /** Sends `count` requests from now on, over the connections in turn. */
  start(count: number, sockets: Socket[], send: Send): void {
    const startMs = performance.now();
    let next = 0;
    const tick = () => {
      const nowMs = performance.now();
      for (; next < count && startMs + next * this.#intervalMs <= nowMs; next += 1) {
        const socket = sockets[next % sockets.length] as Socket;
        this.#dueOn(socket).push(startMs + next * this.#intervalMs);
        send(socket, 1);
      }
      this.#timer = setTimeout(tick, 1);
    };
    tick();
  }

  /** Records the latency of the next `count` answers. Answers on one connection arrive in the order of its requests. */
  answered(socket: Socket, count: number, nowMs: number): void {
    for (const dueMs of this.#dueOn(socket).splice(0, count)) {
      this.#histogram.recordValue(Math.max(1, Math.round((nowMs - dueMs) * MICROS)));
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  latency(): Latency {
    const at = (percentile: number) => this.#histogram.getValueAtPercentile(percentile) / MICROS;
    return { p50: at(50), p99: at(99), p999: at(99.9), max: this.#histogram.maxValue / MICROS };
  }

  #dueOn(socket: Socket): number[] {
    const known = this.#dueMs.get(socket);
    if (known) return known;
    const times: number[] = [];
    this.#dueMs.set(socket, times);
    return times;
  }
}
