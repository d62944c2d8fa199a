import { randomBytes } from 'node:crypto';
import { freePort } from '../processes/free-port.js';
import { startProcess } from '../processes/process.js';
import type { FakePayment } from './books.js';
import type { Mood, SentEvent } from './events.js';

/** The provider as a process of its own, and what a test turns on it. */
export interface FakeProvider {
  url: string;
  /** Signs its events. */
  secret: string;
  /** The settings of our own processes that lead to it. */
  settings: Record<string, string>;
  mood(change: Partial<Mood>): Promise<void>;
  payments(): Promise<FakePayment[]>;
  /** Pays at the provider, for an order; also long after it has ended. */
  pay(orderId: string, change?: Partial<Pick<FakePayment, 'amountMinor' | 'currency'>>): Promise<void>;
  cancel(orderId: string): Promise<void>;
  /** Gives the money back by hand, past us. */
  refund(orderId: string): Promise<void>;
  events(): Promise<SentEvent[]>;
  /** Sends what was held, the last one first; with an id, that one once more. */
  flush(id?: string): Promise<void>;
  stop(): Promise<unknown>;
}

/**
 * @param webhookUrl where its events go
 * @returns the provider, ready; it ends when we do, at the latest
 */
export async function startFakeProvider(webhookUrl: string): Promise<FakeProvider> {
  const [key, secret] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = await startProcess({
    name: 'fake-provider',
    script: 'stack/fake-provider/main',
    args: ['--port', `${port}`, '--webhook', webhookUrl, '--key', key, '--secret', secret],
    environment: {},
    ready: { prints: /listens on/ },
  });
  const control = async (path: string, body?: object) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${url}/control/${path}`, init);
    if (!response.ok) throw new Error(`fake provider: ${path} ${response.status}`);
    return response.json();
  };
  return {
    url,
    secret,
    settings: { PAYMENT_PROVIDER_URL: url, PAYMENT_PROVIDER_KEY: key, PAYMENT_WEBHOOK_SECRETS: secret },
    mood: change => control('mood', change).then(() => undefined),
    payments: () => control('payments') as Promise<FakePayment[]>,
    pay: (orderId, change = {}) => control(`payments/${orderId}/pay`, change).then(() => undefined),
    refund: orderId => control(`payments/${orderId}/refund`, {}).then(() => undefined),
    cancel: orderId => control(`payments/${orderId}/cancel`, {}).then(() => undefined),
    events: () => control('events') as Promise<SentEvent[]>,
    flush: id => control('flush', id === undefined ? {} : { id }).then(() => undefined),
    stop: () => process.stop(),
  };
}
