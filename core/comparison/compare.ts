import type { Snapshot } from '../redis/sale/snapshot.js';
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
  /** Units that are not exactly once in stock or in a live claim, or that differ between claim and order. */
  | { kind: 'units_wrong'; units: number[] };

/**
 * Compares a sale in Redis with its orders in Postgres, claim by claim. Equal counts could hide errors, and counts
 * differ while claims are in flight. The snapshot of Redis must be older than the orders. Then the repair of a
 * difference that was only in flight is a no-op.
 *
 * @param withdrawn refunded units that stay out of stock, as Postgres records them
 * @returns every difference, including those in flight
 */
export function compare(snapshot: Snapshot, orders: Order[], withdrawn: number[] = []): Difference[] {
  const differences: Difference[] = [];
  const orderOf = new Map(orders.map(order => [order.buyerId, order]));
  for (const order of orders) differences.push(...compareOrder(order, snapshot.claims.get(order.buyerId)));
  for (const [buyerId, claim] of snapshot.claims) {
    const unplaced = isLive(claim.status) && orderOf.get(buyerId)?.claimId !== claim.claimId;
    if (unplaced && !snapshot.outbox.has(buyerId)) differences.push({ kind: 'outbox_missing', buyerId, claim });
  }
  const units = wrongUnits(snapshot, withdrawn);
  if (units.length > 0) differences.push({ kind: 'units_wrong', units });
  return differences;
}

function compareOrder(order: Order, claim: ClaimRecord | undefined): Difference[] {
  const same = claim?.claimId === order.claimId;
  if (!isLiveOrder(order.status)) {
    return same && isLive(claim.status) ? [{ kind: 'release_missing', order }] : [];
  }
  if (!same || !isLive(claim.status)) return [{ kind: 'claim_missing', order }];
  if (claim.unit !== order.unit) return [{ kind: 'units_wrong', units: [order.unit, claim.unit] }];
  const isUpToDate = claim.status === claimStatusOf(order.status) && claim.refundedMinor === order.refundedMinor;
  return isUpToDate ? [] : [{ kind: 'status_behind', order }];
}

/**
 * Returns the units that are not exactly once in stock or in a live claim, and those outside 1..N. A withdrawn unit was
 * refunded and stays out of stock: it may be in one live claim, or in none.
 */
function wrongUnits(snapshot: Snapshot, withdrawn: number[]): number[] {
  const gone = new Set(withdrawn);
  const live = [...snapshot.claims.values()].filter(claim => isLive(claim.status)).map(claim => claim.unit);
  const times = new Map<number, number>(Array.from({ length: snapshot.units }, (_, i) => [i + 1, 0]));
  for (const unit of [...snapshot.stock, ...live]) times.set(unit, (times.get(unit) ?? 0) + 1);
  const free = new Set(snapshot.stock);
  return [...times]
    .filter(([unit, seen]) => {
      if (unit < 1 || unit > snapshot.units) return true;
      return gone.has(unit) ? seen > 1 || free.has(unit) : seen !== 1;
    })
    .map(([unit]) => unit);
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
    case 'units_wrong':
      return `I1 units that are not exactly once in stock or in the claim of their order: ${difference.units.slice(0, 20).join(', ')}`;
  }
}
