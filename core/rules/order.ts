import type { Claim, ClaimRecord, ClaimStatus } from './claim.js';

/** The statuses of an order. `void` is a tombstone: a row that keeps an abandoned claim from ever becoming an order. */
export type OrderStatus = 'pending_payment' | 'paid' | 'refunded' | 'cancelled' | 'rejected' | 'void';

/** Why an order ended, or why its payment failed. The values are stable, as they are stored and shown to buyers. */
export type OrderReason =
  /** The order was not paid by its deadline. */
  | 'unpaid'
  /** The order was not paid by its deadline, as the payment provider did not offer a payment to a buyer who asked for it in time. */
  | 'provider_failed'
  /** The buyer cancelled the order. */
  | 'cancelled_by_buyer'
  /** The buyer's wallet held less than the price. */
  | 'insufficient_funds'
  /** Redis lost the claim before it became an order, and its unit or its buyer has another claim. */
  | 'lost'
  /** Postgres refused the claim's content for good, so the claim never became an order. */
  | 'not_placed'
  /** The payment failed at the provider. The order can be paid until its deadline. */
  | 'payment_refused'
  /** The money came after the order had ended, and is refunded. */
  | 'refunded_late_payment'
  /** The shop refunded the order after it was paid. */
  | 'refunded_by_shop';

/**
 * The reasons of ends without payment for which the buyer is responsible. Each such end is a strike (docs/holding.md).
 * core/redis/lua/include/strikes.lua has the same list.
 */
export const STRIKING_REASONS: readonly OrderReason[] = ['unpaid', 'cancelled_by_buyer', 'insufficient_funds'];

/** An order as all code outside core/postgres sees it. */
export interface Order {
  claimId: string;
  buyerId: string;
  unit: number;
  status: OrderStatus;
  reason: OrderReason | null;
  payByMs: number;
  /** The total that went back of a paid order's money, in minor units, if there is anything. */
  refundedMinor?: number;
  /** How many orders of the buyer in this sale ended without payment, if any did and the sale counts them. */
  strikes?: number;
  /** The group of the buyer, if the order counts for one. */
  group?: string;
}

/**
 * Translates the status of an order into that of its claim. Buyers see a tombstone, the row of a claim that never
 * becomes an order, as a rejection.
 */
export function claimStatusOf(status: OrderStatus): ClaimStatus {
  return status === 'void' ? 'rejected' : status;
}

/** Turns an order into the claim that Redis should hold for its buyer. */
export function claimOf(order: Order): ClaimRecord & Claim {
  const { claimId, buyerId, unit, status, payByMs, reason, refundedMinor, strikes, group } = order;
  // Field by field, as a comparison does this for each of a million orders, and a rest and spreads are slow.
  const claim: ClaimRecord & Claim = { claimId, buyerId, unit, status: claimStatusOf(status), payByMs };
  if (reason) claim.reason = reason;
  if (refundedMinor !== undefined) claim.refundedMinor = refundedMinor;
  if (strikes !== undefined) claim.strikes = strikes;
  if (group !== undefined) claim.group = group;
  return claim;
}

/** Tells whether an order with this status keeps its unit from other buyers, and its buyer from another order. */
export function isLiveOrder(status: OrderStatus): boolean {
  return status === 'pending_payment' || status === 'paid';
}

/** The order to be paid, and its buyer. Dropline's own wallet needs nothing else. */
export interface OrderToPay {
  orderId: string;
  buyerId: string;
  /**
   * The time of the click that asks for the payment, in ms by Redis's clock. A click before the payment deadline counts
   * whenever it is dealt with; undefined when no click is known.
   */
  clickedAtMs?: number | undefined;
}
