import { performance } from 'node:perf_hooks';
import { SECOND_MS } from '#core/rules/clock.js';

/** Above this share of busy time the event loop is overloaded, and requests wait for each other. */
const BUSY = 0.9;

/** Below this share there is room for twice as many polls. */
const AT_EASE = 0.4;

const SLOWDOWN_MAX = 16;

/** Measures once a second how busy the event loop of this process is. */
export class Load {
  #before = performance.eventLoopUtilization();
  #slowdown = 1;
  readonly #timer = setInterval(() => this.#measure(), SECOND_MS);

  /** The factor by which clients should poll less often than usual: 1, 2, 4, 8 or 16. */
  get slowdown(): number {
    return this.#slowdown;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #measure(): void {
    const now = performance.eventLoopUtilization();
    this.#slowdown = nextSlowdown(this.#slowdown, performance.eventLoopUtilization(now, this.#before).utilization);
    this.#before = now;
  }
}

/**
 * Computes the slowdown of the next second. It changes by one step at a time, as a second is shorter than the pauses that
 * it sets.
 *
 * @param slowdown the present slowdown
 * @param utilization the share of the last second in which the event loop was busy, 0 to 1
 */
export function nextSlowdown(slowdown: number, utilization: number): number {
  if (utilization > BUSY) return Math.min(SLOWDOWN_MAX, 2 * slowdown);
  return utilization < AT_EASE ? Math.max(1, slowdown / 2) : slowdown;
}
