import { z } from 'zod';
import { boundedText } from '../http/bounded-text.js';
import { SECOND_MS } from '../rules/clock.js';
import { PAYMENT_STATES, type PaymentReport } from '../rules/payment.js';
import { CURRENCY_PATTERN } from '../rules/sale.js';
import { pageAddress } from '../values/address.js';
import { providerText } from '../values/text.js';
import type {
  CreatedPayment,
  EventVerifier,
  PaymentIntent,
  PaymentProvider,
  PaymentRef,
  RefundOutcome,
  RefundRequest,
} from './provider.js';
import { parseProviderEvent } from './provider-event.js';
import { isSigned, mayBeSigned } from './signature.js';

/** Time limit for a call to the payment provider, in ms. After a time-out, a worker asks the provider again later. */
const ANSWER_MS = 5 * SECOND_MS;

/**
 * Largest answer accepted from the payment provider, in bytes. The answer about a payment takes some hundred bytes.
 * Error pages are read to the end too, which frees the connection.
 */
const ANSWER_BYTES_MAX = 64 * 1_024;

/**
 * HTTP statuses by which the payment provider refuses for good. Other errors may pass: 409 means that the same call is
 * still in progress (RFC 9110, 15.5.10).
 */
const REFUSALS = [400, 402, 403, 422];

const Created = z.object({ id: providerText, payUrl: pageAddress });

const Asked = z.object({
  id: providerText,
  orderId: z.uuid(),
  status: z.enum(PAYMENT_STATES),
  amountMinor: z.int().min(0),
  currency: z.string().regex(CURRENCY_PATTERN),
  refundedMinor: z.int().min(0).optional(),
  disputedMinor: z.int().min(0).optional(),
});

const Refunded = z.object({ status: z.enum(['refunded', 'pending']) });

/**
 * Creates the part of the payment provider that verifies webhook calls. It needs only the keys, so the API can use it.
 *
 * @param secrets the keys with which the provider signs its events; two while keys are rotated
 */
export function createSignedWebhookVerifier(secrets: readonly string[]): EventVerifier {
  return {
    mayBeGenuine: mayBeSigned,
    verify(body, signature, nowMs) {
      if (!isSigned(secrets, { body, header: signature }, nowMs)) return { kind: 'forged' };
      const event = parseProviderEvent(body);
      return event ? { kind: 'genuine', event } : { kind: 'unreadable' };
    },
  };
}

/** The address of the payment provider, and our API key there. */
export interface ProviderEndpoint {
  url: string;
  key: string;
}

/**
 * Creates the HTTP client of a payment provider that reports outcomes by signed webhooks. docs/payments.md describes
 * the calls.
 *
 * @param endpoint the provider's address, and our API key there
 * @param secrets the keys with which the provider signs its events; two while keys are rotated
 */
export function createSignedWebhook(endpoint: ProviderEndpoint, secrets: readonly string[]): PaymentProvider {
  return {
    ...createSignedWebhookVerifier(secrets),
    create: intent => create(endpoint, intent),
    ask: payment => ask(endpoint, payment),
    refund: (payment, request) => refund(endpoint, payment, request),
  };
}

async function create(endpoint: ProviderEndpoint, intent: PaymentIntent): Promise<CreatedPayment> {
  const { orderId, attempt, saleId, buyerId, amountMinor, currency, payByMs } = intent;
  const body = { orderId, attempt, saleId, buyerId, amountMinor, currency, payBy: new Date(payByMs).toISOString() };
  const answer = await call(endpoint, 'POST', '/payments', keyOf(intent), body);
  if (REFUSALS.includes(answer.status)) return { kind: 'refused', reason: 'payment_refused' };
  const { id: paymentId, payUrl } = Created.parse(bodyOf(answer));
  return { kind: 'open', paymentId, payUrl };
}

async function ask(endpoint: ProviderEndpoint, payment: PaymentRef): Promise<PaymentReport | undefined> {
  const { orderId, attempt, paymentId } = payment;
  const path = paymentId === null ? `/payments?orderId=${orderId}&attempt=${attempt}` : pathOf(paymentId);
  const answer = await call(endpoint, 'GET', path);
  if (answer.status === 404) return undefined;
  const { id, status: state, ...rest } = Asked.parse(bodyOf(answer));
  return { ...rest, paymentId: id, state };
}

async function refund(endpoint: ProviderEndpoint, payment: PaymentRef, request: RefundRequest): Promise<RefundOutcome> {
  const { orderId, paymentId } = payment;
  if (paymentId === null) throw new Error(`payment of order ${orderId} has no id at its provider`);
  const { amountMinor, isWhole } = request;
  // A refund of everything is the call of the versions before, with their key. So it has their body, too: a provider
  // may refuse a known key with another body.
  const body = isWhole ? {} : { amountMinor };
  const answer = await call(endpoint, 'POST', `${pathOf(paymentId)}/refund`, refundKeyOf(payment, request), body);
  if (REFUSALS.includes(answer.status)) return 'refused';
  return Refunded.parse(bodyOf(answer)).status;
}

/** Builds the idempotency key of a payment. The key of the first attempt is the order's id alone. */
function keyOf({ orderId, attempt }: Pick<PaymentRef, 'orderId' | 'attempt'>): string {
  return attempt === 1 ? orderId : `${orderId}-${attempt}`;
}

/**
 * Builds the idempotency key of a refund. A part has the totals before and after it in its key, so that each part is made
 * once.
 */
function refundKeyOf(payment: PaymentRef, { amountMinor, fromMinor, isWhole }: RefundRequest): string {
  const key = `refund-${keyOf(payment)}`;
  return isWhole ? key : `${key}-${fromMinor}-${fromMinor + amountMinor}`;
}

/** Builds the URL path of a payment at the provider. The provider chooses payment ids, which may contain a slash. */
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
