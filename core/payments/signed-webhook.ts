import { z } from 'zod';
import { boundedText } from '../http/bounded-text.js';
import { SECOND_MS } from '../rules/clock.js';
import { PAYMENT_STATES, type PaymentReport } from '../rules/payment.js';
import { CURRENCY_PATTERN } from '../rules/sale.js';
import type {
  CreatedPayment,
  EventVerifier,
  PaymentIntent,
  PaymentProvider,
  PaymentRef,
  RefundOutcome,
} from './provider.js';
import { parseProviderEvent } from './provider-event.js';
import { isSigned } from './signature.js';

/** A provider that takes longer is asked again later, in ms. */
const ANSWER_MS = 5 * SECOND_MS;

/** What a provider says of a payment has some hundred bytes; a page of an error is read to its end as well, to free its connection. */
const ANSWER_BYTES_MAX = 64 * 1_024;

/** What these answers mean for good; every other error may pass. 409 is one of them: the same call is still at work (RFC 9110, 15.5.10). */
const REFUSALS = [400, 402, 403, 422];

const Created = z.object({ id: z.string().min(1).max(255), payUrl: z.url({ protocol: /^https?$/ }) });

const Asked = z.object({
  id: z.string().min(1).max(255),
  orderId: z.uuid(),
  status: z.enum(PAYMENT_STATES),
  amountMinor: z.int().min(0),
  currency: z.string().regex(CURRENCY_PATTERN),
});

const Refunded = z.object({ status: z.enum(['refunded', 'pending']) });

/**
 * The part of the provider that needs only its keys.
 *
 * @param secrets the keys that its events are signed with; two while they are rotated
 * @returns verifies its events
 */
export function signedWebhookVerifier(secrets: readonly string[]): EventVerifier {
  return {
    verify(body, signature, nowMs) {
      if (!isSigned(secrets, body, signature, nowMs)) return { kind: 'forged' };
      const event = parseProviderEvent(body);
      return event ? { kind: 'genuine', event } : { kind: 'unreadable' };
    },
  };
}

/** Where the provider is, and with what we are known there. */
export interface ProviderEndpoint {
  url: string;
  key: string;
}

/**
 * A provider over HTTP, which tells what happens by signed events. docs/payments.md has the four calls that it answers.
 *
 * @param place where it is
 * @param secrets the keys that its events are signed with
 * @returns the provider
 */
export function signedWebhook(place: ProviderEndpoint, secrets: readonly string[]): PaymentProvider {
  return {
    ...signedWebhookVerifier(secrets),
    create: intent => create(place, intent),
    ask: payment => ask(place, payment),
    refund: payment => refund(place, payment),
  };
}

async function create(place: ProviderEndpoint, intent: PaymentIntent): Promise<CreatedPayment> {
  const { orderId, attempt, saleId, buyerId, amountMinor, currency, payByMs } = intent;
  const body = { orderId, attempt, saleId, buyerId, amountMinor, currency, payBy: new Date(payByMs).toISOString() };
  const answer = await call(place, 'POST', '/payments', keyOf(intent), body);
  if (REFUSALS.includes(answer.status)) return { kind: 'refused', reason: 'payment_refused' };
  const { id: paymentId, payUrl } = Created.parse(bodyOf(answer));
  return { kind: 'open', paymentId, payUrl };
}

async function ask(place: ProviderEndpoint, payment: PaymentRef): Promise<PaymentReport | undefined> {
  const { orderId, attempt, paymentId } = payment;
  const path = paymentId === null ? `/payments?orderId=${orderId}&attempt=${attempt}` : pathOf(paymentId);
  const answer = await call(place, 'GET', path);
  if (answer.status === 404) return undefined;
  const { id, status: state, ...rest } = Asked.parse(bodyOf(answer));
  return { ...rest, paymentId: id, state };
}

async function refund(place: ProviderEndpoint, payment: PaymentRef): Promise<RefundOutcome> {
  const { orderId, paymentId } = payment;
  if (paymentId === null) throw new Error(`payment of order ${orderId} has no id at its provider`);
  const answer = await call(place, 'POST', `${pathOf(paymentId)}/refund`, `refund-${keyOf(payment)}`, {});
  if (REFUSALS.includes(answer.status)) return 'refused';
  return Refunded.parse(bodyOf(answer)).status;
}

/** The first attempt has the order's own id. */
function keyOf({ orderId, attempt }: Pick<PaymentRef, 'orderId' | 'attempt'>): string {
  return attempt === 1 ? orderId : `${orderId}-${attempt}`;
}

/** What a provider calls its payments is its own matter, also when it has a slash in it. */
function pathOf(paymentId: string): string {
  return `/payments/${encodeURIComponent(paymentId)}`;
}

interface ProviderReply {
  status: number;
  text: string;
}

async function call(
  { url, key }: ProviderEndpoint,
  method: 'GET' | 'POST',
  path: string,
  idempotencyKey?: string,
  body?: object,
): Promise<ProviderReply> {
  const response = await fetch(url.replace(/\/$/, '') + path, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  return { status: response.status, text: await boundedText(response, ANSWER_BYTES_MAX) };
}

function bodyOf({ status, text }: ProviderReply): unknown {
  if (status < 200 || status > 299) throw new Error(`the payment provider answered ${status}`);
  return JSON.parse(text);
}
