/** The states of a payment at its provider. `open`: no money taken yet. `failed`: none taken, and none ever will be. */
export const PAYMENT_STATES = ['open', 'paid', 'failed', 'refunded'] as const;
/** The state of a payment at its provider. */
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** A payment as its provider reports it. Amounts in minor units. */
export interface PaymentReport {
  paymentId: string;
  orderId?: string | undefined;
  state: PaymentState;
  amountMinor: number;
  /** ISO 4217 code */
  currency: string;
}

/** An event of a payment provider. Each has an id, and may arrive twice, late, out of order, or never. */
export interface ProviderEvent {
  eventId: string;
  type: string;
  /** Undefined when the event concerns no payment. */
  report?: PaymentReport | undefined;
}
