import { z } from 'zod';
import type { PaymentState, ProviderEvent } from '../rules/payment.js';

// Stripe's form of an event about a payment intent; a provider of one's own sends the same.

const id = z.string().min(1).max(255);
const minor = z.int().min(0);

const Event = z.object({ id, type: z.string().min(1).max(255), data: z.object({ object: z.looseObject({}) }) });

const Intent = z.object({
  id,
  amount: minor,
  amount_received: minor.optional(),
  currency: z.string().regex(/^[A-Za-z]{3}$/),
  metadata: z.object({ order_id: z.uuid().optional() }).optional(),
  /** A charge names the payment that it belongs to. */
  payment_intent: id.optional(),
});

/** What an event says of its payment; of every other type we want to know nothing. */
const STATES: Record<string, PaymentState> = {
  'payment_intent.succeeded': 'paid',
  'payment_intent.canceled': 'failed',
  'charge.refunded': 'refunded',
};

/**
 * @param body the bytes of an event whose signature is right
 * @returns the event, or undefined when it isn't one
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
    // Signed, and no JSON: nothing that we could act on.
    return undefined;
  }
}
