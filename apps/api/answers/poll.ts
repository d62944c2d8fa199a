import type { ClaimStatus } from '#core/rules/claim.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Sales } from '../mirror/sales.js';

/** The status of a buyer in a sale, as the API names it. */
export type PublicStatus = ClaimStatus | 'none' | 'standby' | 'closed';

/** How busy the process is. */
export interface Backpressure {
  /** The factor by which clients should poll less often than usual: 1 to 16 (apps/api/slowdown.ts). */
  readonly slowdown: number;
}

/**
 * The shortest pause before the next poll, in ms. An order is placed within a second of its claim. On standby nothing may
 * happen for minutes, and many poll. An order that waits for its payment changes when its buyer acts. Every other status is
 * final.
 */
const POLL_AFTER_MS: Partial<Record<PublicStatus, number>> = {
  queued: 400,
  pending_payment: 1_000,
  standby: 2_500,
};

/** The longest pause, in ms, however busy the process is. */
const LONGEST_MS = 30 * SECOND_MS;

/** This many polls fit into the time to pay, as a promoted buyer learns of the promotion by a poll. */
const POLLS_WHILE_PAYING = 4;

/** The time to pay that is assumed for a sale that hasn't been read, in s. */
const PAY_WITHIN_SECONDS = 20;

/**
 * Computes the pause before the next poll.
 *
 * @param slowdown the factor of {@link Backpressure}
 * @param payWithinSeconds the sale's time to pay, in s
 * @returns the pause, in ms: at random up to twice the shortest one, so that buyers who came together spread out.
 *   Undefined for a final status
 */
export function pollAfterMs(
  status: PublicStatus,
  slowdown: number,
  payWithinSeconds = PAY_WITHIN_SECONDS,
): number | undefined {
  const shortest = POLL_AFTER_MS[status];
  if (shortest === undefined) return undefined;
  const longest = Math.min(LONGEST_MS, (payWithinSeconds * SECOND_MS) / POLLS_WHILE_PAYING);
  return Math.ceil(Math.min(shortest * slowdown, longest / 2) * (1 + Math.random()));
}

/** The parts from which the pause in a sale is computed. */
export interface PollParts {
  readonly load: Backpressure;
  readonly sales: Pick<Sales, 'known'>;
}

/** Computes the pause before the next poll in a sale, like {@link pollAfterMs}. It never reads the sale for that. */
export function pollAfterIn({ load, sales }: PollParts, saleId: string, status: PublicStatus): number | undefined {
  return pollAfterMs(status, load.slowdown, sales.known(saleId)?.payWithinSeconds);
}
