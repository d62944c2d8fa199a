import type { Snapshot } from '../redis/sale/snapshot.js';
import { type ClaimRecord, isLive } from '../rules/claim.js';
import { claimStatusOf, isLiveOrder, type Order } from '../rules/order.js';

/** One way in which Redis and Postgres disagree about a claim, or Redis with itself about a unit. */
export type Difference =
  /** Postgres has a live order, and Redis doesn't have its claim. */
  | { kind: 'claim_missing'; order: Order }
  /** Redis has a live claim whose order has ended. */
  | { kind: 'release_missing'; order: Order }
  /** The claim is behind its order. */
  | { kind: 'status_behind'; order: Order }
  /** A live claim that has no order, and that the outbox doesn't know either. */
  | { kind: 'outbox_missing'; buyerId: string; claim: ClaimRecord }
  /** Units that are free twice, claimed twice, both, or neither; or of a claim and its order, when each has another one. */
  | { kind: 'units_wrong'; units: number[] };

/**
 * Compares a sale in both stores, claim by claim and never by counts: counts agree by accident, and differ while claims are
 * on their way. The snapshot must be older than the orders; then what is merely on its way shows as a difference whose repair
 * does nothing.
 *
 * @param snapshot what Redis holds
 * @param orders where each buyer stands in Postgres
 * @param withdrawn units that don't return to stock, by Postgres
 * @returns every difference
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
  return claim.status === claimStatusOf(order.status) ? [] : [{ kind: 'status_behind', order }];
}

/**
 * Free units and units in live claims are disjoint and together exactly 1..N: whoever isn't seen once is wrong. A withdrawn unit is
 * nobody's, or still in the claim that it was refunded from.
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
 * @param difference what {@link compare} found
 * @returns a line for people that names what it is about, the same each time that it is found
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
