import type { PaymentReport, ProviderEvent } from '../rules/payment.js';

/** Which order is to be paid, and whose: all that the wallet needs to know. */
export interface OrderToPay {
  orderId: string;
  buyerId: string;
}

/** A payment that is wanted: it is in our books before the provider hears of it. Amounts in minor units. */
export interface PaymentIntent extends OrderToPay {
  /** 1, and more when the payment before it has failed. With the order the provider's idempotency key: asking again is the same payment. */
  attempt: number;
  saleId: string;
  amountMinor: number;
  currency: string;
  /** When the order ends unless it is paid, in ms since the epoch; the provider should take nothing after it. */
  payByMs: number;
}

/**
 * What came of wanting a payment. `settled`: the money moved with the order. `open`: the buyer pays at `payUrl`.
 * `not_payable`: the order was paid before, ended, or is overdue.
 */
export type CreatedPayment =
  | { kind: 'settled' }
  | { kind: 'open'; paymentId: string; payUrl: string }
  | { kind: 'refused'; reason: 'insufficient_funds' | 'payment_refused' }
  | { kind: 'not_payable' };

/** Which payment is meant; without an id the provider is asked by its idempotency key. */
export interface PaymentRef {
  orderId: string;
  attempt: number;
  paymentId: string | null;
}

/** `pending`: the provider has taken it on; ask later. `refused`: it never will. */
export type RefundOutcome = 'refunded' | 'pending' | 'refused';

/** An event is `genuine`, `forged` (a wrong signature, or one that is too old), or signed and `unreadable`. */
export type EventVerification = { kind: 'genuine'; event: ProviderEvent } | { kind: 'forged' } | { kind: 'unreadable' };

/** Who takes a buyer's money and gives it back. Everything may be repeated: twice is once. */
export interface PaymentProvider {
  /** @throws when the outcome is unknown: then create it again, or ask */
  create(intent: PaymentIntent): Promise<CreatedPayment>;
  /**
   * @param body the raw bytes, as they came
   * @param signature the header that came with them
   * @param nowMs the time, in ms since the epoch
   */
  verify(body: Buffer, signature: string | undefined, nowMs: number): EventVerification;
  /** @returns undefined when the provider has never heard of it */
  ask(payment: PaymentRef): Promise<PaymentReport | undefined>;
  /** Gives back everything that was taken. */
  refund(payment: PaymentRef): Promise<RefundOutcome>;
}

/** The wallet needs no events; this is the part of a provider that an API can have, which has no database. */
export type EventVerifier = Pick<PaymentProvider, 'verify'>;
