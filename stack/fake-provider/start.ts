import { randomBytes } from 'node:crypto';
import { freePort } from '../processes/free-port.js';
import { type StackProcess, startProcess } from '../processes/process.js';
import type { FakePayment, Money } from './books.js';
import type { Mood, SentEvent } from './events.js';

/** The fake provider as a process of its own, with the calls by which a test controls it. */
export class FakeProvider {
  readonly url: string;
  /** Signs the provider's events. */
  readonly secret: string;
  /** The settings that lead our own processes to the provider. */
  readonly settings: Record<string, string>;
  readonly #process: StackProcess;

  /** Wraps a process that {@link startFakeProvider} has started. */
  constructor(process: StackProcess, url: string, { key, secret }: { key: string; secret: string }) {
    this.url = url;
    this.secret = secret;
    this.settings = { PAYMENT_PROVIDER_URL: url, PAYMENT_PROVIDER_KEY: key, PAYMENT_WEBHOOK_SECRETS: secret };
    this.#process = process;
  }

  /** Changes the provider's behaviour. */
  async mood(change: Partial<Mood>): Promise<void> {
    await this.#control('mood', change);
  }

  /** Reads every payment. */
  payments(): Promise<FakePayment[]> {
    return this.#control('payments') as Promise<FakePayment[]>;
  }

  /**
   * Pays the latest payment of an order, also long after the order has ended.
   *
   * @param change makes the provider take other money than was asked for
   */
  async pay(orderId: string, change: Partial<Money> = {}): Promise<void> {
    await this.#control(`payments/${orderId}/pay`, change);
  }

  /** Lets the latest payment of an order fail. */
  async cancel(orderId: string): Promise<void> {
    await this.#control(`payments/${orderId}/cancel`, {});
  }

  /**
   * Returns the money of an order as an operator at the provider would, without a call of ours.
   *
   * @param amountMinor a part of the money; otherwise all that is left
   */
  async refund(orderId: string, amountMinor?: number): Promise<void> {
    await this.#control(`payments/${orderId}/refund`, { amountMinor });
  }

  /**
   * Lets the buyer dispute the payment of an order at the bank.
   *
   * @param amountMinor a part of the money; otherwise all that is left
   */
  async dispute(orderId: string, amountMinor?: number): Promise<void> {
    await this.#control(`payments/${orderId}/dispute`, { amountMinor });
  }

  /** Ends the disputes about the payment of an order. */
  async closeDisputes(orderId: string, status: 'won' | 'lost'): Promise<void> {
    await this.#control(`payments/${orderId}/${status}`, {});
  }

  /** Reads every event, sent or not. */
  events(): Promise<SentEvent[]> {
    return this.#control('events') as Promise<SentEvent[]>;
  }

  /** Sends the held events, the last one first; with an id, sends only that event once more. */
  async flush(id?: string): Promise<void> {
    await this.#control('flush', id === undefined ? {} : { id });
  }

  /** Sends every event again that nobody has taken. */
  async resend(): Promise<void> {
    await this.#control('resend', {});
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async #control(path: string, body?: object): Promise<unknown> {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${this.url}/control/${path}`, init);
    if (!response.ok) throw new Error(`fake provider: ${path} ${response.status}`);
    return response.json();
  }
}

/**
 * Starts the fake provider.
 *
 * @param webhookUrl where its events go
 * @returns the provider, ready; it ends at the latest when this process does
 */
export async function startFakeProvider(webhookUrl: string): Promise<FakeProvider> {
  const [key, secret] = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')];
  const port = await freePort();
  const process = await startProcess({
    name: 'fake-provider',
    program: 'stack/fake-provider/main',
    args: ['--port', `${port}`, '--webhook', webhookUrl, '--key', key, '--secret', secret],
    environment: {},
    ready: { prints: /listens on/ },
  });
  return new FakeProvider(process, `http://127.0.0.1:${port}`, { key, secret });
}
