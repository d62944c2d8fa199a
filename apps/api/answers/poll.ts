import type { ClaimStatus } from '#core/rules/claim.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { Sales } from '../mirror/sales.js';

/** The status of a buyer in a sale, as API answers name it. */
export type PublicStatus = ClaimStatus | 'none' | 'joined' | 'drawing' | 'standby' | 'closed';

/** How busy this API process is. */
export interface Backpressure {
  /** The factor by which clients should poll less often than usual: 1 to 16 (apps/api/load/slowdown.ts). */
  readonly slowdown: number;
}

/**
 * The shortest pause before a client's next poll, in ms, by the buyer's status. A `queued` order is placed within a
 * second. Nothing happens to `joined` buyers before the opening. On `standby`, nothing may happen for minutes, and many buyers poll. An order in `pending_payment` changes
 * when its buyer acts. Every other status is final.
 */
const POLL_AFTER_MS: Partial<Record<PublicStatus, number>> = {
  queued: 400,
  joined: 10_000,
  drawing: 1_500,
  pending_payment: 1_000,
  standby: 2_500,
};

/** The longest pause between two polls, in ms, however busy the process is. */
const LONGEST_MS = 30 * SECOND_MS;

/**
 * At least this many polls fit into the time to pay. A buyer on standby who polls learns only from a poll that they
 * were given a unit.
 */
const POLLS_WHILE_PAYING = 4;

/** The assumed time to pay, in s, for a sale that this process has not read within the last second. */
const PAY_WITHIN_SECONDS = 20;

/**
 * Computes the pause before a client's next poll.
 *
 * @param slowdown the factor of {@link Pace}
 * @param payWithinSeconds the time in which buyers of the sale must pay, in s
 * @returns the pause, in ms; undefined for a final status. It is random, up to twice the shortest pause, so that buyers
 *   who came together spread out
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

/** The parts of the API that determine the pause between polls. */
export interface PollParts {
  readonly load: Backpressure;
  readonly sales: Pick<Sales, 'known'>;
}

/**
 * Computes the pause before the next poll about a sale, in ms, like {@link pollAfterMs}. The sale's time to pay comes
 * from memory, never from Redis.
 */
export function pollAfterIn({ load, sales }: PollParts, saleId: string, status: PublicStatus): number | undefined {
  return pollAfterMs(status, load.slowdown, sales.known(saleId)?.payWithinSeconds);
}
