import type { FakeProvider } from '#stack/fake-provider/start.js';
import type { OrderFacts } from '../history/claim-view.js';
import type { PaymentFacts } from '../history/payment-facts.js';
import type { Query } from '../workload/query.js';

const ORDERS = `
  SELECT id, sale_id, buyer_id, unit, status, reason, buyer_group, extract(epoch FROM placed_at) * 1000 AS placed,
         extract(epoch FROM pay_by) * 1000 AS pay_by, extract(epoch FROM cancelled_at) * 1000 AS ended,
         EXISTS (SELECT FROM payments p WHERE p.regrab_claim_id = orders.id) AS regrabbed FROM orders`;

/** Reads every order. */
export async function readOrderFacts(query: Query): Promise<OrderFacts[]> {
  const rows = (await query(ORDERS)) as Record<string, string | boolean | null>[];
  return rows.map(row => ({
    claimId: String(row.id),
    saleId: String(row.sale_id),
    buyerId: String(row.buyer_id),
    unit: Number(row.unit),
    status: String(row.status),
    reason: row.reason === null ? null : String(row.reason),
    placedAtMs: Number(row.placed),
    payByMs: Number(row.pay_by),
    endedAtMs: row.ended === null ? null : Number(row.ended),
    regrabbed: row.regrabbed === true,
    ...(row.buyer_group === null ? {} : { group: String(row.buyer_group) }),
  }));
}

/** Selects our books. A payment is booked on the order that it paid for, or on its own order if it went back. */
const OURS = `
  SELECT p.provider_payment_id AS payment_id, p.status, p.mismatch IS NOT NULL AS surplus,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'capture'), 0) AS captured,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund'), 0) AS refunded,
         coalesce(sum(t.amount_minor) FILTER (WHERE t.kind = 'refund_to_wallet'), 0) AS wallet,
         coalesce(sum(CASE t.kind WHEN 'dispute' THEN t.amount_minor WHEN 'dispute_reversal' THEN -t.amount_minor END), 0) AS disputed
  FROM payments p LEFT JOIN transfers t ON p.status IN ('paid', 'refund_due', 'refunded') AND (
         (t.kind <> 'refund_to_wallet' AND p.mismatch IS NULL AND t.order_id = coalesce(p.paid_order_id, p.order_id))
         OR (t.kind = 'refund_to_wallet' AND t.order_id = p.order_id))
  GROUP BY p.id`;

/** Reads every payment that the provider has, with the facts of our books. */
export async function readPaymentFacts(query: Query, fake: FakeProvider): Promise<PaymentFacts[]> {
  const theirs = await fake.payments();
  const ours = new Map((await query(OURS)).map(row => [row.payment_id, row]));
  return theirs.map(({ id, orderId, attempt, amountMinor, taken, refundedMinor, disputedMinor }) => {
    const row: Record<string, string | boolean> = ours.get(id) ?? {};
    return {
      paymentId: id,
      orderId,
      attempt,
      takenMinor: amountMinor * taken,
      returnedMinor: refundedMinor,
      withheldMinor: disputedMinor,
      status: row.status === undefined ? undefined : String(row.status),
      capturedMinor: Number(row.captured ?? 0),
      refundedMinor: Number(row.refunded ?? 0),
      walletMinor: Number(row.wallet ?? 0),
      disputedMinor: Number(row.disputed ?? 0),
      surplus: row.surplus === true,
    };
  });
}
