import type { Claim, ClaimRecord, ClaimStatus } from './claim.js';

/** `void` is a tombstone: a row that keeps a claim which was given up from ever being placed. */
export type OrderStatus = 'pending_payment' | 'paid' | 'refunded' | 'cancelled' | 'rejected' | 'void';

/** Why an order ended, or why a payment was not taken. Stable: shown to buyers and stored. */
export type OrderReason =
  /** not paid by its deadline */
  | 'unpaid'
  /** the buyer cancelled */
  | 'cancelled_by_buyer'
  /** the wallet held less than the price */
  | 'insufficient_funds'
  /** Redis lost the claim before it was placed, and the unit or the buyer's turn went to another claim */
  | 'lost'
  /** placing it failed for good */
  | 'not_placed'
  /** the payment failed at the provider; the order stays payable until its deadline, and may be tried again */
  | 'payment_refused'
  /** the money came after the order had ended, and goes back */
  | 'refunded_late_payment'
  /** the shop gave the money of a paid order back */
  | 'refunded_by_shop';

/** An order as the rest of the system sees it. */
export interface Order {
  claimId: string;
  buyerId: string;
  unit: number;
  status: OrderStatus;
  reason: OrderReason | null;
  payByMs: number;
}

/**
 * @param status where an order stands in Postgres
 * @returns what its buyer is told: a tombstone reads as a rejection
 */
export function claimStatusOf(status: OrderStatus): ClaimStatus {
  return status === 'void' ? 'rejected' : status;
}

/**
 * @param order an order
 * @returns its claim, as Redis should have it
 */
export function claimOf(order: Order): ClaimRecord & Claim {
  const { reason, status, ...claim } = order;
  return { ...claim, status: claimStatusOf(status), ...(reason ? { reason } : {}) };
}

/**
 * @param status where an order stands
 * @returns whether it keeps its unit and its buyer from another order
 */
export function isLiveOrder(status: OrderStatus): boolean {
  return status === 'pending_payment' || status === 'paid';
}
