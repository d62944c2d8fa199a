import { z } from 'zod';
import type { DisputeReport, DisputeState } from '../rules/dispute.js';
import type { PaymentReport, PaymentState, ProviderEvent } from '../rules/payment.js';
import { isPlain, providerText } from '../values/text.js';

// Events of payment providers, in Stripe's format for payment intents and charges. A provider that the shop builds
// itself sends the same format.

const minor = z.int().min(0);

/**
 * The ids that may be stored. They are checked in every event, so that a payment with a hostile id is refused at the
 * door, rather than taken for a payment of somebody else.
 */
const storable = z.unknown().refine(value => typeof value !== 'string' || isPlain(value));

const Event = z.object({
  id: providerText,
  type: providerText,
  data: z.object({ object: z.looseObject({ id: storable.optional(), payment_intent: storable.optional() }) }),
});

const currency = z.string().regex(/^[A-Za-z]{3}$/);
const metadata = z.object({ order_id: z.uuid().optional() }).optional();

const Intent = z.object({
  id: providerText,
  amount: minor,
  amount_received: minor.optional(),
  /** A charge states what was captured of its amount, and the total that was refunded. An intent has no such fields. */
  amount_captured: minor.optional(),
  amount_refunded: minor.optional(),
  currency,
  metadata,
  /** The payment intent of a charge. An intent itself has no such field. */
  payment_intent: providerText.optional(),
});

/** Stripe's statuses of a dispute. An inquiry, with `warning` in its status, takes no money. */
const DISPUTE_STATUSES: Record<string, DisputeState> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  warning_closed: 'won',
  needs_response: 'open',
  under_review: 'open',
  won: 'won',
  lost: 'lost',
};

const Dispute = z.object({
  id: providerText,
  amount: minor,
  currency,
  status: z.string(),
  metadata,
  payment_intent: providerText,
});

/**
 * The event types that matter, each with the state that it reports for its payment. Events of other types are ignored,
 * except those about disputes.
 */
const STATES: Record<string, PaymentState> = {
  'payment_intent.succeeded': 'paid',
  'payment_intent.canceled': 'failed',
  'charge.refunded': 'refunded',
};

/** The types of events about disputes begin so. Each event contains the whole dispute. */
const DISPUTE_PREFIX = 'charge.dispute.';

/**
 * Parses a payment provider's event whose signature was verified before.
 *
 * @param body the raw bytes of the webhook call
 * @returns the event, without a report when its type does not matter; undefined when the body is no event
 */
export function parseProviderEvent(body: Buffer): ProviderEvent | undefined {
  const event = Event.safeParse(jsonOf(body));
  if (!event.success) return undefined;
  const { id: eventId, type, data } = event.data;
  if (type.startsWith(DISPUTE_PREFIX)) return { eventId, type, dispute: disputeOf(data.object) };
  const state = STATES[type];
  const intent = Intent.safeParse(data.object);
  if (state === undefined || !intent.success) return { eventId, type };
  return { eventId, type, report: reportOf(state, intent.data) };
}

function reportOf(state: PaymentState, intent: z.output<typeof Intent>): PaymentReport {
  const { id: ownId, payment_intent: paymentId = ownId, amount, metadata } = intent;
  const report = { paymentId, orderId: metadata?.order_id, currency: intent.currency.toUpperCase() };
  if (state !== 'refunded') {
    return { ...report, state, amountMinor: state === 'paid' ? (intent.amount_received ?? amount) : amount };
  }
  const amountMinor = intent.amount_captured ?? amount;
  const refundedMinor = intent.amount_refunded ?? amountMinor;
  // A part that went back leaves the payment paid.
  return { ...report, state: refundedMinor < amountMinor ? 'paid' : 'refunded', amountMinor, refundedMinor };
}

function disputeOf(object: object): DisputeReport | undefined {
  const dispute = Dispute.safeParse(object);
  if (!dispute.success) return undefined;
  const { id: disputeId, payment_intent: paymentId, amount: amountMinor, status, metadata } = dispute.data;
  const state = DISPUTE_STATUSES[status];
  if (state === undefined) return undefined;
  const currencyCode = dispute.data.currency.toUpperCase();
  return { disputeId, paymentId, orderId: metadata?.order_id, state, amountMinor, currency: currencyCode };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // A correctly signed body that is no JSON contains no event.
    return undefined;
  }
}
