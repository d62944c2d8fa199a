/** One payment, as the provider has it and as our books have it. Money is in minor units. */
export interface PaymentFacts {
  paymentId: string;
  orderId: string;
  attempt: number;
  /** The money that the provider took and returned, and what disputes withhold. */
  takenMinor: number;
  returnedMinor: number;
  withheldMinor: number;
  /** Our status; undefined when we have never heard of the payment. */
  status: string | undefined;
  /** The money in our books. */
  capturedMinor: number;
  refundedMinor: number;
  /** The money that the provider refused to return, and that the buyer got in the wallet instead. */
  walletMinor: number;
  /** The money that disputes withhold by our books. */
  disputedMinor: number;
  /** The money came for an order that was paid already. It is never booked, and goes back as it came. */
  surplus: boolean;
}

/**
 * Compares one payment in both books.
 *
 * @param payment at rest
 * @returns the difference, in words; nothing when the books agree
 */
export function disagreement(payment: PaymentFacts): string | undefined {
  const { takenMinor, returnedMinor, capturedMinor, refundedMinor, walletMinor, surplus } = payment;
  const bookedMinor = surplus ? takenMinor : capturedMinor;
  const backMinor = surplus ? takenMinor : refundedMinor;
  if (bookedMinor !== takenMinor) return `took ${takenMinor}, and ${capturedMinor} is booked`;
  // A lost dispute is the refund of money that was to go back, and is not booked a second time.
  if (backMinor + payment.disputedMinor - walletMinor === returnedMinor + payment.withheldMinor) return undefined;
  return `gave ${returnedMinor} back and withholds ${payment.withheldMinor}, and ${backMinor} and ${payment.disputedMinor} are booked, ${walletMinor} of it into the wallet`;
}
