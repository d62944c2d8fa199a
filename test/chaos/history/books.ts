import type { FakeProvider } from '#stack/fake-provider/start.js';
import type { Query } from '../workload/world.js';

/** One payment, as its provider has it and as we have it. Money in minor units. */
export interface PaymentFacts {
  paymentId: string;
  orderId: string;
  attempt: number;
  /** Of the provider. */
  takenMinor: number;
  returnedMinor: number;
  /** Ours; undefined when we have never heard of it. */
  status: string | undefined;
  capturedMinor: number;
  refundedMinor: number;
  /** What the provider would not give back, and the buyer has in the wallet. */
  walletMinor: number;
  /** Came, was never booked, and goes back as it came: the order was paid already. */
  surplus: boolean;
}

/** A payment is booked on the order that it paid for, or on its own when it was refunded at once. */
const OURS = `
  SELECT p.provider_payment_id AS payment_id, p.status, p.mismatch IS NOT NULL AS surplus,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'capture'), 0) AS captured,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund'), 0) AS refunded,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund_to_wallet'), 0) AS wallet
  FROM payments p LEFT JOIN transfers t ON p.status IN ('paid', 'refund_due', 'refunded') AND (
         (t.kind <> 'refund_to_wallet' AND p.mismatch IS NULL AND t.order_id = coalesce(p.paid_order_id, p.order_id))
         OR (t.kind = 'refund_to_wallet' AND t.order_id = p.order_id))
  GROUP BY p.id`;

/**
 * @param query reads our books
 * @param fake has its own
 * @returns every payment that the provider has
 */
export async function readPaymentFacts(query: Query, fake: FakeProvider): Promise<PaymentFacts[]> {
  const theirs = await fake.payments();
  const ours = new Map((await query(OURS)).map(row => [row.payment_id, row]));
  return theirs.map(({ id, orderId, attempt, amountMinor, taken, returned }) => {
    const row: Record<string, string | boolean> = ours.get(id) ?? {};
    return {
      paymentId: id,
      orderId,
      attempt,
      takenMinor: amountMinor * taken,
      returnedMinor: amountMinor * returned,
      status: row.status === undefined ? undefined : String(row.status),
      capturedMinor: Number(row.captured ?? 0),
      refundedMinor: Number(row.refunded ?? 0),
      walletMinor: Number(row.wallet ?? 0),
      surplus: row.surplus === true,
    };
  });
}

/**
 * @param payment one payment at rest
 * @returns in what the two books differ, in words; nothing when they agree
 */
export function disagreement(payment: PaymentFacts): string | undefined {
  const { takenMinor, returnedMinor, capturedMinor, refundedMinor, walletMinor, surplus } = payment;
  const bookedMinor = surplus ? takenMinor : capturedMinor;
  const backMinor = surplus ? takenMinor : refundedMinor;
  if (bookedMinor !== takenMinor) return `took ${takenMinor}, and ${capturedMinor} is booked`;
  if (backMinor - walletMinor === returnedMinor) return undefined;
  return `gave ${returnedMinor} back, and ${backMinor} is booked, ${walletMinor} of it into the wallet`;
}
