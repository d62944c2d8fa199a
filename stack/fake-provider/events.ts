import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { signBody } from '#core/payments/signature.js';
import type { FakeEventType, FakePayment } from './books.js';

/** How the provider behaves; well, unless told otherwise. */
export interface Mood {
  /** Where events go. */
  webhook: string;
  /** Events come this much later, in ms. */
  delayMs: number;
  /** How often each event is sent. */
  times: number;
  /** Events are never sent. */
  lose: boolean;
  /** Events wait until they are flushed, the last one first. */
  hold: boolean;
  /** Calls are answered 503. */
  down: boolean;
  /** New payments are refused for good. */
  refusePayments: boolean;
  /** Refunds are refused for good. */
  refuseRefunds: boolean;
  /** Refunds are answered 409, as while an earlier call with the same key is at work. */
  busyRefunds: boolean;
}

/** An event as it was sent, or would have been. */
export interface SentEvent {
  id: string;
  type: FakeEventType;
  orderId: string;
  body: string;
  /** HTTP status of each delivery; 0: no answer. */
  answers: number[];
}

export interface Events {
  mood: Mood;
  sent: SentEvent[];
  add(type: FakeEventType, payment: FakePayment): void;
  /** Sends what was held, the last one first; with an id, that one once more. */
  flush(id?: string): Promise<void>;
}

const RETRIES_MAX = 8;
const RETRY_MS = 250;
const ANSWER_MS = 5_000;

/**
 * @param webhookUrl where events go
 * @param secret signs them
 * @returns what sends them
 */
export function createEvents(webhookUrl: string, secret: string): Events {
  const mood: Mood = {
    webhook: webhookUrl,
    delayMs: 0,
    times: 1,
    lose: false,
    hold: false,
    down: false,
    refusePayments: false,
    refuseRefunds: false,
    busyRefunds: false,
  };
  const sent: SentEvent[] = [];
  let waiting: SentEvent[] = [];

  async function deliver(event: SentEvent): Promise<void> {
    await setTimeout(mood.delayMs);
    // As real ones: again until it is answered 2xx.
    for (let attempt = 0; attempt < RETRIES_MAX; attempt += 1) {
      const status = await post(mood.webhook, secret, event.body);
      event.answers.push(status);
      if (status >= 200 && status < 300) return;
      await setTimeout(RETRY_MS * 2 ** attempt);
    }
  }

  return {
    mood,
    sent,
    add(type, payment) {
      const event = eventOf(type, payment);
      sent.push(event);
      if (mood.lose) return;
      if (mood.hold) waiting.push(event);
      else for (let i = 0; i < mood.times; i += 1) void deliver(event);
    },
    async flush(id) {
      const chosen = id === undefined ? waiting.reverse() : sent.filter(event => event.id === id);
      if (id === undefined) waiting = [];
      for (const event of chosen) await deliver(event);
    },
  };
}

function eventOf(type: FakeEventType, { id, orderId, amountMinor, currency, status }: FakePayment): SentEvent {
  const eventId = `evt_${randomUUID().replaceAll('-', '')}`;
  const money = { amount: amountMinor, currency: currency.toLowerCase(), metadata: { order_id: orderId } };
  const object =
    type === 'charge.refunded' ? { id: `ch_${id}`, payment_intent: id, ...money } : { id, status, ...money };
  const created = Math.floor(Date.now() / 1_000);
  const body = JSON.stringify({ id: eventId, object: 'event', type, created, data: { object } });
  return { id: eventId, type, orderId, body, answers: [] };
}

async function post(url: string, secret: string, body: string): Promise<number> {
  try {
    const headers = { 'content-type': 'application/json', 'stripe-signature': signBody([secret], body, Date.now()) };
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // It is away: that is what trying again is for.
    return 0;
  }
}
