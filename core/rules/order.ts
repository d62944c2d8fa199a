import type { Claim, ClaimRecord, ClaimStatus } from './claim.js';

/** The statuses of an order. `void` is a tombstone: a row that keeps an abandoned claim from ever being placed. */
export type OrderStatus = 'pending_payment' | 'paid' | 'refunded' | 'cancelled' | 'rejected' | 'void';

/** Why an order ended, or why a payment failed. Stable: shown to buyers and stored. */
export type OrderReason =
  /** not paid by its deadline */
  | 'unpaid'
  /** cancelled by the buyer */
  | 'cancelled_by_buyer'
  /** the wallet held less than the price */
  | 'insufficient_funds'
  /** Redis lost the claim before it was placed, and its unit or its buyer has another claim */
  | 'lost'
  /** placing failed for good */
  | 'not_placed'
  /** the payment failed at the provider; the order stays payable until its deadline */
  | 'payment_refused'
  /** the money came after the order had ended, and goes back */
  | 'refunded_late_payment'
  /** the shop refunded a paid order */
  | 'refunded_by_shop';

/** An order as everything outside Postgres sees it. */
export interface Order {
  claimId: string;
  buyerId: string;
  unit: number;
  status: OrderStatus;
  reason: OrderReason | null;
  payByMs: number;
}

/** Translates the status of an order into that of its claim. Buyers see a tombstone as a rejection. */
export function claimStatusOf(status: OrderStatus): ClaimStatus {
  return status === 'void' ? 'rejected' : status;
}

/** Turns an order into the claim that Redis should hold for it. */
export function claimOf(order: Order): ClaimRecord & Claim {
  const { reason, status, ...claim } = order;
  return { ...claim, status: claimStatusOf(status), ...(reason ? { reason } : {}) };
}

/** Tells whether an order with this status keeps its unit, and its buyer from another order. */
export function isLiveOrder(status: OrderStatus): boolean {
  return status === 'pending_payment' || status === 'paid';
}
