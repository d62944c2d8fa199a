import type { OrderToPay } from '../rules/order.js';
import type { PaymentReport, ProviderEvent } from '../rules/payment.js';

/**
 * A payment to create at a provider. Postgres records the payment before the provider is called. Amounts are in minor
 * units.
 */
export interface PaymentIntent extends OrderToPay {
  /**
   * The number of the attempt to pay the order, from 1; a failed attempt raises it. Order and attempt make the
   * provider's idempotency key.
   */
  attempt: number;
  saleId: string;
  amountMinor: number;
  currency: string;
  /** The payment deadline of the order, in ms since the epoch. The provider should take no money after the deadline. */
  payByMs: number;
}

/**
 * The outcome of creating a payment. `settled`: the wallet has paid, and the order is paid. `open`: the buyer pays at
 * `payUrl`. `refused`: the payment failed. `not_payable`: the order is paid, ended or overdue.
 */
export type CreatedPayment =
  | { kind: 'settled' }
  | { kind: 'open'; paymentId: string; payUrl: string }
  | { kind: 'refused'; reason: 'insufficient_funds' | 'payment_refused' }
  | { kind: 'not_payable' };

/** Identifies a payment at its provider. While `paymentId` is null, the provider is asked by order and attempt. */
export interface PaymentRef {
  orderId: string;
  attempt: number;
  paymentId: string | null;
}

/**
 * A refund to make at a provider, in minor units of the money that it took. Repeated with the same numbers, it is made
 * once.
 */
export interface RefundRequest {
  amountMinor: number;
  /** The total that the provider had returned of the payment before. */
  fromMinor: number;
  /** Whether the amount is all that the provider took. */
  isWhole: boolean;
}

/**
 * The outcome of a refund at a payment provider. `pending`: the provider has accepted the refund and will confirm it
 * later. `refused`: final.
 */
export type RefundOutcome = 'refunded' | 'pending' | 'refused';

/**
 * The verdict on the body of a provider's webhook call. `forged`: the signature is wrong or too old. `unreadable`:
 * correctly signed, but no event.
 */
export type EventVerification = { kind: 'genuine'; event: ProviderEvent } | { kind: 'forged' } | { kind: 'unreadable' };

/** A payment provider: takes buyers' money and gives it back. Every call is idempotent. */
export interface PaymentProvider {
  /**
   * Creates a payment at the provider.
   *
   * @throws Error when the outcome is unknown: the caller repeats `create`, or calls `ask`
   */
  create(intent: PaymentIntent): Promise<CreatedPayment>;
  /**
   * Tells whether the signature header of a provider's webhook call may fit any body, by its form and age. The check
   * costs little and needs no body, so it comes before the body is read.
   *
   * @param signature the signature header
   * @param nowMs the present time, in ms since the epoch, as old signatures are refused
   */
  mayBeGenuine(signature: string | undefined, nowMs: number): boolean;
  /**
   * Verifies the signature of a provider's webhook call, and parses its event.
   *
   * @param body the raw bytes as received
   * @param signature the signature header
   * @param nowMs the present time, in ms since the epoch, as old signatures are refused
   */
  verify(body: Buffer, signature: string | undefined, nowMs: number): EventVerification;
  /**
   * Reads the state of a payment from the provider.
   *
   * @returns undefined when the provider does not know the payment
   */
  ask(payment: PaymentRef): Promise<PaymentReport | undefined>;
  /** Returns a part of a payment's money to the buyer, or all of it. */
  refund(payment: PaymentRef, refund: RefundRequest): Promise<RefundOutcome>;
}

/** The part of a payment provider that the API uses: it verifies webhook calls, and needs no database. */
export type EventVerifier = Pick<PaymentProvider, 'mayBeGenuine' | 'verify'>;
