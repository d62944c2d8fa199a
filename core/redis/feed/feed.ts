import type { Redis } from '../connection.js';
import { channelOf } from '../keys.js';
import { parseChange } from './changes.js';
import { FollowedSale, type Listener } from './followed-sale.js';
import { sendGathered } from './gathered.js';
import { readPulses } from './pulse.js';

/**
 * How often the feed compares its message counts with those in Redis, in ms. Missed messages go unnoticed for at most
 * this long.
 */
const LOOK_EVERY_MS = 500;

/** How long the feed stays subscribed to a sale without listeners, in ms, since waiting buyers come and go. */
const LINGER_MS = 10_000;

/** Shortest interval between two reconnects of a feed that misses messages, in ms. */
const RECONNECT_EVERY_MS = 2_000;

/**
 * Receives the changes of sales over one connection for the whole process. The feed knows when it is deaf, which means
 * that it may miss messages. Reasons are a closed connection, a refused subscription, or messages counted by Redis that
 * did not arrive within {@link LOOK_EVERY_MS}. While it is deaf, its listeners must read Redis themselves.
 */
export class Feed {
  readonly #subscriber: Redis;
  readonly #redis: Redis;
  readonly #onError: (error: Error) => void;
  readonly #sales = new Map<string, FollowedSale>();
  readonly #saleOf = new Map<string, string>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;
  #reconnectedAtMs = 0;

  /**
   * Starts to compare the number of messages received with the count in Redis.
   *
   * @param subscriber a connection with the profile `feed`, for this purpose only
   * @param redis another connection with the scripts, for reading the counts and asking for changes
   * @param onError receives the errors of unreadable messages and of failed calls to Redis
   */
  constructor(subscriber: Redis, redis: Redis, onError: (error: Error) => void) {
    this.#subscriber = subscriber;
    this.#redis = redis;
    this.#onError = onError;
    subscriber.on('message', (channel, text) => this.#hear(channel, text));
    subscriber.on('close', () => this.#goDeaf());
    subscriber.on('ready', () => {
      for (const [saleId, sale] of this.#sales) void this.#listen(saleId, sale);
    });
    this.#timer = setInterval(() => this.#tend(), LOOK_EVERY_MS);
  }

  /**
   * Subscribes a listener to the changes of a sale.
   *
   * @returns a function that removes the listener
   */
  follow(saleId: string, listener: Listener): () => void {
    let sale = this.#sales.get(saleId);
    if (!sale) {
      sale = new FollowedSale(() => {
        // After a failure the next look asks again.
        sendGathered(this.#redis, saleId).catch(this.#onError);
      });
      this.#sales.set(saleId, sale);
      this.#saleOf.set(channelOf(saleId), saleId);
      if (this.#subscriber.status === 'ready') void this.#listen(saleId, sale);
    }
    return sale.add(listener);
  }

  /** Tells whether the feed receives the changes of a sale at the moment. */
  hears(saleId: string): boolean {
    return this.#sales.get(saleId)?.hearing ?? false;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const sale of this.#sales.values()) sale.stop();
    this.#sales.clear();
    this.#subscriber.disconnect();
  }

  async #listen(saleId: string, sale: FollowedSale): Promise<void> {
    try {
      await this.#subscriber.subscribe(channelOf(saleId));
    } catch (error) {
      return this.#onError(error as Error);
    }
    if (this.#sales.get(saleId) === sale && this.#subscriber.status === 'ready') sale.listen();
  }

  #hear(channel: string, text: string): void {
    const sale = this.#sales.get(this.#saleOf.get(channel) ?? '');
    if (!sale) return;
    try {
      sale.hear(parseChange(text));
    } catch (error) {
      // An unreadable message counts as a missed one, so the sale's listeners must read Redis.
      this.#onError(error as Error);
      sale.goDeaf();
    }
  }

  #goDeaf(): void {
    for (const sale of this.#sales.values()) sale.goDeaf();
  }

  #tend(): void {
    for (const [saleId, sale] of this.#sales) {
      if (sale.idleMs > LINGER_MS) this.#forget(saleId);
      else if (!sale.hearing && this.#subscriber.status === 'ready') void this.#listen(saleId, sale);
    }
    if (this.#looking) return;
    this.#looking = true;
    this.#look()
      .catch(error => {
        this.#goDeaf();
        this.#onError(error as Error);
      })
      .finally(() => {
        this.#looking = false;
      });
  }

  async #look(): Promise<void> {
    const saleIds = [...this.#sales.keys()];
    if (saleIds.length === 0) return;
    const pulses = await readPulses(this.#redis, saleIds);
    saleIds.forEach((saleId, i) => {
      const pulse = pulses[i];
      if (pulse && this.#sales.get(saleId)?.look(pulse) === false) this.#reconnect();
    });
  }

  #reconnect(): void {
    if (performance.now() - this.#reconnectedAtMs < RECONNECT_EVERY_MS) return;
    this.#reconnectedAtMs = performance.now();
    this.#subscriber.disconnect(true);
  }

  #forget(saleId: string): void {
    this.#sales.get(saleId)?.stop();
    this.#sales.delete(saleId);
    this.#saleOf.delete(channelOf(saleId));
    // A failed unsubscription does no harm: a needless subscription costs no more than its messages.
    this.#subscriber.unsubscribe(channelOf(saleId)).catch(() => undefined);
  }
}
