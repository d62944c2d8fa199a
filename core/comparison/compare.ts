import { type ClaimRecord, isLive } from '../rules/claim.js';
import { claimStatusOf, isLiveOrder, type Order } from '../rules/order.js';

/** A difference within one sale. Redis and Postgres disagree about a claim, or Redis contradicts itself about units. */
export type Difference =
  /** Postgres has a live order, which is one that is paid or may still be paid. Redis lacks its claim. */
  | { kind: 'claim_missing'; order: Order }
  /** Redis has a live claim, and its order in Postgres has ended: Redis missed the release. */
  | { kind: 'release_missing'; order: Order }
  /** The claim in Redis has an older status than its order in Postgres, or does not say what went back of its money. */
  | { kind: 'status_behind'; order: Order }
  /** A live claim in Redis has neither an order in Postgres nor an entry in the outbox, which rescue reads. */
  | { kind: 'outbox_missing'; buyerId: string; claim: ClaimRecord }
  /** The claim in Redis says another number of the buyer's ends without payment than Postgres has, or is missing. */
  | { kind: 'strikes_wrong'; order: Order; claim: ClaimRecord | undefined }
  /** Units that are not exactly once in stock or in a live claim, or that differ between claim and order. */
  | { kind: 'units_wrong'; units: number[] };

/** The facts of both stores about one buyer of a sale. */
export interface BuyerFacts {
  buyerId: string;
  /** The buyer's latest order in Postgres. */
  order: Order | undefined;
  claim: ClaimRecord | undefined;
  /** Whether the outbox has the claim. */
  isUnplaced: boolean;
  /** Whether the sale counts ends without payment. */
  countsStrikes: boolean;
}

/**
 * Compares the facts of both stores about one buyer. Equal counts could hide errors, and counts differ while claims are in flight. The
 * facts of Redis must be read before the order. Then the repair of a difference that was only in flight is a no-op.
 *
 * @returns every difference, including those in flight
 */
export function compareBuyer({ buyerId, order, claim, isUnplaced, countsStrikes }: BuyerFacts): Difference[] {
  const differences = order ? compareOrder(order, claim) : [];
  if (order && countsStrikes) differences.push(...compareStrikes(order, claim));
  if (!claim || !isLive(claim.status) || isUnplaced || claim.claimId === order?.claimId) return differences;
  return [...differences, { kind: 'outbox_missing', buyerId, claim }];
}

function compareOrder(order: Order, claim: ClaimRecord | undefined): Difference[] {
  const same = claim?.claimId === order.claimId;
  if (!isLiveOrder(order.status)) {
    return same && isLive(claim.status) ? [{ kind: 'release_missing', order }] : [];
  }
  if (!same || !isLive(claim.status)) return [{ kind: 'claim_missing', order }];
  if (claim.unit !== order.unit) return [{ kind: 'units_wrong', units: [order.unit, claim.unit] }];
  const isUpToDate =
    claim.status === claimStatusOf(order.status) &&
    claim.refundedMinor === order.refundedMinor &&
    // An operator may move the deadline, and the page and clicks to pay go by the claim.
    (order.status !== 'pending_payment' || claim.payByMs === order.payByMs);
  return isUpToDate ? [] : [{ kind: 'status_behind', order }];
}

/** A claim that is missing or to be released gets the right number with its repair. */
function compareStrikes(order: Order, claim: ClaimRecord | undefined): Difference[] {
  const isOwn = claim?.claimId === order.claimId;
  if (isLiveOrder(order.status) ? !isOwn : isOwn && isLive(claim.status)) return [];
  return (claim?.strikes ?? 0) === (order.strikes ?? 0) ? [] : [{ kind: 'strikes_wrong', order, claim }];
}

const MENDED_ALONE: readonly Difference['kind'][] = ['status_behind', 'release_missing', 'strikes_wrong'];

/**
 * Decides whether a sale is rebuilt in Redis, which mends everything but makes its scripts refuse for a moment.
 * Contradictions about units always require that. After a restart of Redis, so does every difference except a status or
 * a release that is behind, or a wrong number of strikes.
 */
export function needsRebuild(differences: readonly Difference[], verified: boolean): boolean {
  if (!verified) return differences.some(({ kind }) => !MENDED_ALONE.includes(kind));
  return differences.some(({ kind }) => kind === 'units_wrong');
}

/** Returns the units that a difference finds wrong. */
export function unitsOf(difference: Difference): number[] {
  return difference.kind === 'units_wrong' ? difference.units : [];
}

/**
 * Describes a difference in one line of text. The same difference has the same text in each comparison, so the two can
 * be matched.
 */
export function describe(difference: Difference): string {
  switch (difference.kind) {
    case 'claim_missing':
      return `I4 order ${difference.order.claimId} is live, and Redis lacks its claim of unit ${difference.order.unit}`;
    case 'release_missing':
      return `I4 order ${difference.order.claimId} has ended, and Redis keeps its claim of unit ${difference.order.unit}`;
    case 'status_behind':
      return `I4 order ${difference.order.claimId} is ${difference.order.status}, and Redis does not say so`;
    case 'outbox_missing':
      return `I6 claim ${difference.claim.claimId} has neither an order nor an entry in the outbox`;
    case 'strikes_wrong':
      return `strikes: the buyer of order ${difference.order.claimId} has ${difference.order.strikes ?? 0} ends without payment, and Redis says ${difference.claim?.strikes ?? 0}`;
    case 'units_wrong':
      return `I1 units that are not exactly once in stock or in the claim of their order: ${difference.units.slice(0, 20).join(', ')}`;
  }
}
