import type { DisputeReport } from './dispute.js';

/**
 * The states of a payment at its provider. `open`: no money was taken yet. `failed`: no money was taken, and none ever
 * will be.
 */
export const PAYMENT_STATES = ['open', 'paid', 'failed', 'refunded'] as const;
/** The state of one payment at its provider. */
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** A payment as its provider reports it. Amounts are in minor units; `amountMinor` is what the provider took. */
export interface PaymentReport {
  paymentId: string;
  orderId?: string | undefined;
  state: PaymentState;
  amountMinor: number;
  /** The ISO 4217 code of the amount's currency. */
  currency: string;
  /**
   * The total that the provider has returned of the amount. In an answer, a refunded payment without it was returned
   * whole.
   */
  refundedMinor?: number | undefined;
  /** The total that disputes withhold at present, if the provider tells. */
  disputedMinor?: number | undefined;
}

/**
 * A payment provider's message about a payment. Each event has an id, and may arrive twice, late, out of order, or
 * never.
 */
export interface ProviderEvent {
  eventId: string;
  type: string;
  /** The reported payment; undefined when the event concerns no payment. */
  report?: PaymentReport | undefined;
  /** The reported dispute about a payment, if the event concerns one. */
  dispute?: DisputeReport | undefined;
}
