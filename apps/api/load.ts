import { performance } from 'node:perf_hooks';
import { SECOND_MS } from '#core/rules/clock.js';

/** Above this share of its time the event loop has something to do all the time, and whoever comes waits for others. */
const BUSY = 0.9;

/** Below it there is room for twice as many, so clients may ask as often again. */
const AT_EASE = 0.4;

const SLOWDOWN_MAX = 16;

/** How busy this process is. */
export interface Load {
  /** How many times as long as usual clients should wait before they ask again: 1, 2, 4, 8 or 16. */
  readonly slowdown: number;
  close(): void;
}

/** @returns what looks at the event loop once a second */
export function watchLoad(): Load {
  let before = performance.eventLoopUtilization();
  let slowdown = 1;
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    slowdown = nextSlowdown(slowdown, performance.eventLoopUtilization(now, before).utilization);
    before = now;
  }, SECOND_MS);
  return {
    get slowdown() {
      return slowdown;
    },
    close: () => clearInterval(timer),
  };
}

/**
 * @param slowdown the present one
 * @param utilization the share of the last second in which the event loop was not idle, 0 to 1
 * @returns the next one: a second is less than the pauses it sets, so it goes by one step at a time
 */
export function nextSlowdown(slowdown: number, utilization: number): number {
  if (utilization > BUSY) return Math.min(SLOWDOWN_MAX, 2 * slowdown);
  return utilization < AT_EASE ? Math.max(1, slowdown / 2) : slowdown;
}
