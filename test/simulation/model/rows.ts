import type { DisputeReport } from '#core/rules/dispute.js';
import type { OrderReason, OrderStatus } from '#core/rules/order.js';
import type { PaymentMoney } from '#core/rules/payment-money.js';
import type { RefundInFlight } from '#core/rules/refund.js';

// The rows of Postgres and the records of Redis that matter to money. Times are in s, amounts in minor units.

/** A row of `orders`, with the sums of its transfers. */
export interface Order {
  id: number;
  buyer: number;
  unit: number;
  status: OrderStatus;
  reason: OrderReason | null;
  payBy: number;
  refundedMinor: number;
  capturedMinor: number;
  /** The sum of its transfers `refund`. */
  givenMinor: number;
  /** The sum that its transfers show as withheld because of disputes. */
  disputedMinor: number;
  /** The release of its unit, once the order has ended. */
  release?: { isDelivered: boolean; freesUnit: boolean };
  /** A click to pay that came in time and that nobody has dealt with. The product does not read this. */
  unansweredClickAt?: number | undefined;
}

/** A row of `payments`. */
export interface Attempt {
  id: number;
  orderId: number;
  number: number;
  paymentId: number | undefined;
  money: PaymentMoney;
  disputes: Map<number, DisputeReport>;
  paidOrderId: number | undefined;
  regrabClaimId: number;
  isUnwanted: boolean;
  /** How long the click in time had to wait. */
  waited: number;
  askAt: number | undefined;
  asked: number;
  refundAt: number | undefined;
  refundTries: number;
  refunding: RefundInFlight | null;
  walletMinor: number;
  byHandMinor: number;
  /** The sum that an operator decided to give back, or all of it if the money came late. The product does not read this. */
  decidedMinor: number;
}

/** A claim in Redis. */
export interface HeldClaim {
  claimId: number;
  unit: number;
  status: 'queued' | 'pending_payment' | 'paid' | 'ended';
  payBy: number;
}
