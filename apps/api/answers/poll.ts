import type { ClaimStatus } from '#core/rules/claim.js';
import { MINUTE_MS, SECOND_MS } from '#core/rules/clock.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';

/** The status of a buyer in a sale, as API answers name it. */
export type PublicStatus = ClaimStatus | 'none' | 'joined' | 'drawing' | 'standby' | 'closed';

/** How busy this API process is. */
export interface Backpressure {
  /** The factor by which clients should poll less often than usual: 1 to 16 (apps/api/load/slowdown.ts). */
  readonly slowdown: number;
}

/** When the parts of a sale happen that a buyer may wait for. */
export interface PollTimes {
  /** The time in which buyers of the sale must pay, in s. */
  payWithinSeconds?: number | undefined;
  /** The shorter time to pay a unit that came back unpaid, in s; undefined for the ordinary one. */
  retryPayWithinSeconds?: number | undefined;
  /** The time until the sale opens, in ms; negative once it has opened. */
  opensInMs?: number | undefined;
}

/** Returns the times of a sale that was read a moment ago. */
export function pollTimesOf(sale: RecentSale, nowMs = redisNowMs(sale)): PollTimes {
  const { payWithinSeconds, retryPayWithinSeconds } = sale;
  return { payWithinSeconds, retryPayWithinSeconds, opensInMs: sale.opensAtMs - nowMs };
}

/**
 * The shortest pause before a client's next poll, in ms, by the buyer's status. A `queued` order is placed within a
 * second. On `standby`, nothing may happen for minutes, and many buyers poll. An order in `pending_payment` changes
 * when its buyer acts. Every other status is final.
 */
const POLL_AFTER_MS: Partial<Record<PublicStatus, number>> = {
  queued: 400,
  joined: 10_000,
  drawing: 1_500,
  pending_payment: 1_000,
  standby: 2_500,
};

/**
 * The shortest pause of a buyer who joined, in ms. Nothing happens before the opening: a poll only shows that the entry is still there, and
 * its receipt brings it back if not.
 */
const JOINED_MS = 5 * MINUTE_MS;

/** Buyers who joined ask for the first time within this time after the opening, in ms, so that they do not come at once. */
const OPENING_SPREAD_MS = 10 * SECOND_MS;

/** A draw that waits for its public value may wait for hours. A poll then comes after this part of the time since the opening. */
const PART_OF_DRAWING = 4;

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
 * @param slowdown the factor of {@link Backpressure}
 * @returns the pause, in ms; undefined for a final status. It is random, up to twice the shortest pause, so that buyers
 *   who came together spread out
 */
export function pollAfterMs(status: PublicStatus, slowdown: number, times: PollTimes = {}): number | undefined {
  const shortest = POLL_AFTER_MS[status];
  if (shortest === undefined) return undefined;
  const { payWithinSeconds = PAY_WITHIN_SECONDS, retryPayWithinSeconds = payWithinSeconds, opensInMs } = times;
  const longest = Math.min(LONGEST_MS, (retryPayWithinSeconds * SECOND_MS) / POLLS_WHILE_PAYING);
  if (status === 'joined' && opensInMs !== undefined) return joinedPauseMs(opensInMs, longest);
  const drawnForMs = status === 'drawing' ? -(opensInMs ?? 0) : 0;
  const pause = Math.max(shortest * slowdown, drawnForMs / PART_OF_DRAWING);
  return Math.ceil(Math.min(pause, longest / 2) * (1 + Math.random()));
}

/** Returns the pause of a buyer who joined: until a moment after the opening, if the next poll would come close to it. */
function joinedPauseMs(opensInMs: number, longest: number): number {
  if (opensInMs > 2 * JOINED_MS) return Math.ceil(JOINED_MS * (1 + Math.random()));
  return Math.ceil(Math.max(1, opensInMs) + Math.min(OPENING_SPREAD_MS, longest) * Math.random());
}

/** The parts of the API that determine the pause between polls. */
export interface PollParts {
  readonly load: Backpressure;
  readonly sales: Pick<Sales, 'known'>;
}

/**
 * Computes the pause before the next poll about a sale, in ms, like {@link pollAfterMs}. The sale's times come from
 * memory, never from Redis.
 */
export function pollAfterIn({ load, sales }: PollParts, saleId: string, status: PublicStatus): number | undefined {
  const sale = sales.known(saleId);
  return pollAfterMs(status, load.slowdown, sale && pollTimesOf(sale));
}
