import { z } from 'zod';
import type { PaymentState, ProviderEvent } from '../rules/payment.js';
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

const Intent = z.object({
  id: providerText,
  amount: minor,
  amount_received: minor.optional(),
  currency: z.string().regex(/^[A-Za-z]{3}$/),
  metadata: z.object({ order_id: z.uuid().optional() }).optional(),
  /** The payment intent of a charge. An intent itself has no such field. */
  payment_intent: providerText.optional(),
});

/**
 * The event types that matter, each with the state that it reports for its payment. Events of other types are ignored.
 */
const STATES: Record<string, PaymentState> = {
  'payment_intent.succeeded': 'paid',
  'payment_intent.canceled': 'failed',
  'charge.refunded': 'refunded',
};

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
  const state = STATES[type];
  const intent = Intent.safeParse(data.object);
  if (state === undefined || !intent.success) return { eventId, type };
  const { id: ownId, payment_intent: paymentId = ownId, amount, amount_received: received, metadata } = intent.data;
  const amountMinor = state === 'paid' ? (received ?? amount) : amount;
  const currency = intent.data.currency.toUpperCase();
  const report = { paymentId, orderId: metadata?.order_id, state, amountMinor, currency };
  return { eventId, type, report };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    // A correctly signed body that is no JSON contains no event.
    return undefined;
  }
}
