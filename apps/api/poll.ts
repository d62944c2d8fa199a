import type { ClaimStatus } from '#core/claim.js';

export type PublicStatus = ClaimStatus | 'none' | 'standby' | 'closed';

/**
 * Shortest pause before asking again, in ms. An order is placed within a second of the claim; on standby nothing may happen for
 * minutes, and many ask; an order that waits for its payment changes by what its buyer does. What isn't named is final.
 */
const POLL_AFTER_MS: Partial<Record<PublicStatus, number>> = {
  queued: 400,
  pending_payment: 1_000,
  standby: 2_500,
};

/**
 * @param status where a buyer stands
 * @returns when to ask again, in ms, up to twice the shortest pause so that those who came together spread out; undefined
 *   when there is nothing to wait for
 */
export function pollAfterMs(status: PublicStatus): number | undefined {
  const shortest = POLL_AFTER_MS[status];
  return shortest === undefined ? undefined : Math.round(shortest * (1 + Math.random()));
}
