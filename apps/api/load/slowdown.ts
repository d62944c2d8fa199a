/**
 * Above this share of busy time, the event loop is overloaded and requests wait for each other. Each such second halves
 * how often clients poll.
 */
const BUSY = 0.9;

/** Below this share of busy time, the event loop has room for twice as many polls. */
const AT_EASE = 0.4;

const SLOWDOWN_MAX = 16;

/**
 * Computes the slowdown for the next second, the factor by which clients poll less often. It changes by one step at a
 * time. Clients pause for longer than a second, so each step takes effect late.
 *
 * @param slowdown the present slowdown
 * @param utilization the share of the last second in which the event loop was busy, 0 to 1
 */
export function nextSlowdown(slowdown: number, utilization: number): number {
  if (utilization > BUSY) return Math.min(SLOWDOWN_MAX, 2 * slowdown);
  return utilization < AT_EASE ? Math.max(1, slowdown / 2) : slowdown;
}
