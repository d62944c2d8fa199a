import type { PaymentReport, ProviderEvent } from '../rules/payment.js';

/** The order to be paid, and its buyer. The wallet needs nothing else. */
export interface OrderToPay {
  orderId: string;
  buyerId: string;
}

/** A payment to create. Our books contain it before the provider hears of it. Amounts in minor units. */
export interface PaymentIntent extends OrderToPay {
  /** Counts from 1. A failed payment raises it. Order and attempt make the provider's idempotency key. */
  attempt: number;
  saleId: string;
  amountMinor: number;
  currency: string;
  /** The payment deadline, in ms since the epoch. The provider should take no money after it. */
  payByMs: number;
}

/**
 * The outcome of creating a payment. `settled`: the money moved together with the order. `open`: the buyer pays at
 * `payUrl`. `refused`: the payment failed. `not_payable`: the order is paid, ended or overdue.
 */
export type CreatedPayment =
  | { kind: 'settled' }
  | { kind: 'open'; paymentId: string; payUrl: string }
  | { kind: 'refused'; reason: 'insufficient_funds' | 'payment_refused' }
  | { kind: 'not_payable' };

/** Identifies a payment at its provider. Without a `paymentId` the provider is asked by the idempotency key. */
export interface PaymentRef {
  orderId: string;
  attempt: number;
  paymentId: string | null;
}

/** The outcome of a refund. `pending`: the provider has accepted it and will confirm later. `refused`: final. */
export type RefundOutcome = 'refunded' | 'pending' | 'refused';

/** The verdict on a webhook body: `genuine`, `forged` (wrong signature or too old), or signed and `unreadable`. */
export type EventVerification = { kind: 'genuine'; event: ProviderEvent } | { kind: 'forged' } | { kind: 'unreadable' };

/** Takes buyers' money and gives it back. Every call is idempotent. */
export interface PaymentProvider {
  /**
   * Creates a payment.
   *
   * @throws Error when the outcome is unknown: create again, or ask
   */
  create(intent: PaymentIntent): Promise<CreatedPayment>;
  /**
   * Verifies a webhook call of the provider.
   *
   * @param body the raw bytes as received
   * @param signature the signature header
   * @param nowMs the time, in ms since the epoch
   */
  verify(body: Buffer, signature: string | undefined, nowMs: number): EventVerification;
  /**
   * Reads the state of a payment at the provider.
   *
   * @returns undefined when the provider does not know the payment
   */
  ask(payment: PaymentRef): Promise<PaymentReport | undefined>;
  /** Returns the whole captured amount. */
  refund(payment: PaymentRef): Promise<RefundOutcome>;
}

/** The part of a provider that the API uses. It needs no database. */
export type EventVerifier = Pick<PaymentProvider, 'verify'>;
