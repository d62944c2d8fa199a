import { randomBytes } from 'node:crypto';
import type { FakePayment } from '../../apps/stack/fake-provider/books.js';
import type { Mood, SentEvent } from '../../apps/stack/fake-provider/events.js';
import { freePort } from '../../apps/stack/free-port.js';
import { startProcess } from '../../apps/stack/processes.js';

export const PROVIDER_SECRET = randomBytes(16).toString('hex');
const KEY = 'what-we-are-known-with';

/** The provider as a process of its own, and what a test turns on it. */
export interface FakeProvider {
  url: string;
  /** The settings of our own processes that lead to it. */
  settings: Record<string, string>;
  mood(change: Partial<Mood>): Promise<void>;
  payments(): Promise<FakePayment[]>;
  /** Pays at the provider, for an order; also long after it has ended. */
  pay(orderId: string, change?: Partial<Pick<FakePayment, 'amountMinor' | 'currency'>>): Promise<void>;
  cancel(orderId: string): Promise<void>;
  events(): Promise<SentEvent[]>;
  /** Sends what was held or lost, the last one first; with an id, that one once more. */
  flush(id?: string): Promise<void>;
  stop(): Promise<unknown>;
}

/** @param webhookUrl where its events go */
export async function startFakeProvider(webhookUrl: string): Promise<FakeProvider> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const process = await startProcess({
    name: 'stack/fake-provider',
    args: ['--port', `${port}`, '--webhook', webhookUrl, '--key', KEY, '--secret', PROVIDER_SECRET],
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
    settings: { PAYMENT_PROVIDER_URL: url, PAYMENT_PROVIDER_KEY: KEY, PAYMENT_WEBHOOK_SECRETS: PROVIDER_SECRET },
    mood: change => control('mood', change).then(() => undefined),
    payments: () => control('payments') as Promise<FakePayment[]>,
    pay: (orderId, change = {}) => control(`payments/${orderId}/pay`, change).then(() => undefined),
    cancel: orderId => control(`payments/${orderId}/cancel`, {}).then(() => undefined),
    events: () => control('events') as Promise<SentEvent[]>,
    flush: id => control('flush', id === undefined ? {} : { id }).then(() => undefined),
    stop: () => process.stop(),
  };
}
