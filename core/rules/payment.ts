/** Where a payment stands at its provider. `open`: nothing was taken yet. `failed`: nothing was taken, and nothing will be. */
export const PAYMENT_STATES = ['open', 'paid', 'failed', 'refunded'] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/** A payment, as its provider has it. Money in minor units. */
export interface PaymentReport {
  paymentId: string;
  orderId?: string | undefined;
  state: PaymentState;
  amountMinor: number;
  /** ISO 4217 */
  currency: string;
}

/** What a provider tells of its own accord. Each event has an id, and may come again, late, out of order, or never. */
export interface ProviderEvent {
  eventId: string;
  type: string;
  /** None when the event is about nothing that concerns us. */
  report?: PaymentReport | undefined;
}
