import type { ClaimStatus } from '#core/rules/claim.js';
import { SECOND_MS } from '#core/rules/clock.js';

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

/** However much there is to do, nobody is told to wait longer than this, in ms. */
const LONGEST_MS = 30 * SECOND_MS;

/** A promoted buyer has to pay in time, and hears of it by asking: so often in that time, at least. */
const LOOKS_WHILE_PAYING = 4;

/** Assumed where the sale isn't at hand, in s. */
const PAY_WITHIN_SECONDS = 20;

/**
 * @param status where a buyer stands
 * @param slowdown how many times as long as usual (apps/api/load.ts)
 * @param payWithinSeconds the sale's time to pay, in s
 * @returns when to ask again, in ms, up to twice the shortest pause so that those who came together spread out; undefined
 *   when there is nothing to wait for
 */
export function pollAfterMs(
  status: PublicStatus,
  slowdown: number,
  payWithinSeconds = PAY_WITHIN_SECONDS,
): number | undefined {
  const shortest = POLL_AFTER_MS[status];
  if (shortest === undefined) return undefined;
  const longest = Math.min(LONGEST_MS, (payWithinSeconds * SECOND_MS) / LOOKS_WHILE_PAYING);
  return Math.ceil(Math.min(shortest * slowdown, longest / 2) * (1 + Math.random()));
}
