import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { signBody } from '#core/payments/signature.js';
import type { FakeDispute, FakeEventType, FakePayment } from './books.js';

/** How the provider behaves. */
export interface Mood {
  /** The URL that events go to. */
  webhook: string;
  /** The delay of events, in ms. */
  delayMs: number;
  /** How often each event is sent. */
  times: number;
  /** Drops events. */
  lose: boolean;
  /** Holds events back until they are flushed, the last one first. */
  hold: boolean;
  /** Answers calls with 503. */
  down: boolean;
  /** Refuses new payments for good. */
  refusePayments: boolean;
  /** Refuses refunds for good. */
  refuseRefunds: boolean;
  /** Answers refunds with 409, as if an earlier call with the same key were in flight. */
  busyRefunds: boolean;
  /** Accepts refunds, and makes none of them yet. */
  pendingRefunds: boolean;
  /** Takes every refund for a new one, as if its idempotency key had expired. */
  forgetKeys: boolean;
}

/** An event, sent or not. */
export interface SentEvent {
  id: string;
  type: FakeEventType;
  orderId: string;
  body: string;
  /** The HTTP status of each delivery; 0 for no answer. */
  answers: number[];
}

/** Eight attempts take 32 s with this back-off. Real providers retry for hours, for which no test can wait. */
const RETRIES_MAX = 8;
const RETRY_MS = 250;
const ANSWER_MS = 5_000;

/** The events of the provider, and its mood. */
export class Events {
  /** The mood: a provider that works well, until a test changes it. */
  readonly mood: Mood;
  /** Every event so far, in the order of their creation. */
  readonly sent: SentEvent[] = [];
  readonly #secret: string;
  #held: SentEvent[] = [];

  /**
   * Creates an empty log of events.
   *
   * @param webhookUrl where events go
   * @param secret signs the events
   */
  constructor(webhookUrl: string, secret: string) {
    this.#secret = secret;
    this.mood = {
      webhook: webhookUrl,
      delayMs: 0,
      times: 1,
      lose: false,
      hold: false,
      down: false,
      refusePayments: false,
      refuseRefunds: false,
      busyRefunds: false,
      pendingRefunds: false,
      forgetKeys: false,
    };
  }

  /** Creates an event, and sends it as the mood says. */
  add(type: FakeEventType, payment: FakePayment, dispute?: FakeDispute): void {
    const event = eventOf(type, payment, dispute);
    this.sent.push(event);
    if (this.mood.lose) return;
    if (this.mood.hold) this.#held.push(event);
    else for (let i = 0; i < this.mood.times; i += 1) void this.#deliver(event);
  }

  /** Sends the held events, the last one first; with an id, sends only that event once more. */
  async flush(id?: string): Promise<void> {
    const chosen = id === undefined ? this.#held.reverse() : this.sent.filter(event => event.id === id);
    if (id === undefined) this.#held = [];
    for (const event of chosen) await this.#deliver(event);
  }

  /** Sends every event again that nobody has taken, as a provider does for days. */
  async resend(): Promise<void> {
    const isTaken = (status: number) => status >= 200 && status < 300;
    for (const event of this.sent.filter(({ answers }) => !answers.some(isTaken))) await this.#deliver(event);
  }

  /** Retries until the answer is 2xx, as real providers do. */
  async #deliver(event: SentEvent): Promise<void> {
    await setTimeout(this.mood.delayMs);
    for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
      const status = await post(this.mood.webhook, this.#secret, event.body);
      event.answers.push(status);
      if (status >= 200 && status < 300) return;
      await setTimeout(RETRY_MS * 2 ** attempt);
    }
  }
}

function eventOf(type: FakeEventType, payment: FakePayment, dispute?: FakeDispute): SentEvent {
  const eventId = `evt_${randomUUID().replaceAll('-', '')}`;
  const created = Math.floor(Date.now() / 1_000);
  const data = { object: dispute ? disputeOf(payment, dispute) : moneyOf(type, payment) };
  const body = JSON.stringify({ id: eventId, object: 'event', type, created, data });
  return { id: eventId, type, orderId: payment.orderId, body, answers: [] };
}

function moneyOf(type: FakeEventType, { id, orderId, amountMinor, currency, status, refundedMinor }: FakePayment) {
  const money = { amount: amountMinor, currency: currency.toLowerCase(), metadata: { order_id: orderId } };
  if (type !== 'charge.refunded') return { id, status, ...money };
  return { id: `ch_${id}`, payment_intent: id, ...money, amount_captured: amountMinor, amount_refunded: refundedMinor };
}

/** A dispute has no metadata of its payment. */
function disputeOf({ id: paymentId, currency }: FakePayment, { id, status, amountMinor }: FakeDispute) {
  return { id, payment_intent: paymentId, amount: amountMinor, currency: currency.toLowerCase(), status, metadata: {} };
}

async function post(url: string, secret: string, body: string): Promise<number> {
  try {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signBody([secret], body, Date.now()) };
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0; // nobody answers; the next attempt may reach somebody
  }
}
