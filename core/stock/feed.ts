import type { Redis } from '../redis.js';
import { type Change, parseChange } from './changes.js';
import { channelOf } from './keys.js';
import { readPulses } from './pulse.js';

/** How often the feed compares what it heard with what Redis counts, in ms: so long, at most, does it not notice that it is deaf. */
export const LOOK_EVERY_MS = 500;

/** A sale that nobody follows any more is listened to for this long, in ms, as waiting buyers come and go. */
const LINGER_MS = 10_000;

/** A deaf connection is made anew, but not more often than this, in ms. */
const RECONNECT_EVERY_MS = 2_000;

/** Told of one sale, in the order of its changes. Nothing here may throw. */
export interface Listener {
  changed(change: Change): void;
  /** The feed listens from now on; what happened before was perhaps not heard. */
  listening(): void;
  /** Changes may be missed from now on, until {@link listening}. */
  deaf(): void;
  /** What Redis counts by now; what was told of it may still be on its way. */
  looked?(pulse: { version: number; verified: boolean; nowMs: number }): void;
}

/** Hears what changes in sales: one connection for the whole process. */
export interface Feed {
  /** @returns a function that ends it */
  follow(saleId: string, listener: Listener): () => void;
  /** @returns whether changes of a sale that is followed are being heard */
  hears(saleId: string): boolean;
  close(): void;
}

interface Followed {
  listeners: Set<Listener>;
  hearing: boolean;
  /** The highest `published` heard. */
  heard: number;
  /** What must have been heard by the next look. */
  due: number;
  idleSinceMs: number;
}

/**
 * Opens the change feed. It knows when it is deaf: its connection was closed, subscribing was refused, or Redis counts
 * messages that did not come within {@link LOOK_EVERY_MS}. Whoever follows a sale must then ask Redis itself.
 *
 * @param subscriber a connection with the profile `feed`, for nothing else
 * @param redis another connection, to compare with
 * @param onError told of messages and calls that failed
 * @returns the feed
 */
export function openFeed(subscriber: Redis, redis: Redis, onError: (error: Error) => void): Feed {
  const sales = new Map<string, Followed>();
  const saleOf = new Map<string, string>();
  let looking = false;
  let reconnectedAtMs = 0;

  const listen = async (saleId: string, sale: Followed): Promise<void> => {
    try {
      await subscriber.subscribe(channelOf(saleId));
    } catch (error) {
      return onError(error as Error);
    }
    if (sales.get(saleId) !== sale || subscriber.status !== 'ready') return;
    Object.assign(sale, { hearing: true, heard: 0, due: 0 });
    for (const listener of sale.listeners) listener.listening();
  };

  const goDeaf = (sale: Followed): void => {
    if (!sale.hearing) return;
    sale.hearing = false;
    for (const listener of sale.listeners) listener.deaf();
  };

  const hear = (channel: string, text: string): void => {
    const sale = sales.get(saleOf.get(channel) ?? '');
    if (!sale) return;
    try {
      const change = parseChange(text);
      sale.heard = Math.max(sale.heard, change.published);
      for (const listener of sale.listeners) listener.changed(change);
    } catch (error) {
      // Whatever it was, it was not heard.
      onError(error as Error);
      goDeaf(sale);
    }
  };

  const forget = (saleId: string): void => {
    sales.delete(saleId);
    saleOf.delete(channelOf(saleId));
    // A channel that is heard for nothing costs nothing but its messages.
    subscriber.unsubscribe(channelOf(saleId)).catch(() => undefined);
  };

  const reconnect = (): void => {
    if (performance.now() - reconnectedAtMs < RECONNECT_EVERY_MS) return;
    reconnectedAtMs = performance.now();
    subscriber.disconnect(true);
  };

  const compare = (sale: Followed, published: number): void => {
    const missed = sale.heard < sale.due;
    // The first look after subscribing tells where the count stands.
    if (sale.heard === 0) sale.heard = published;
    sale.due = published;
    if (!missed || !sale.hearing) return;
    goDeaf(sale);
    reconnect();
  };

  const look = async (): Promise<void> => {
    const saleIds = [...sales.keys()];
    if (saleIds.length === 0) return;
    const pulses = await readPulses(redis, saleIds);
    saleIds.forEach((saleId, i) => {
      const sale = sales.get(saleId);
      const pulse = pulses[i];
      if (!sale || !pulse) return;
      compare(sale, pulse.published);
      for (const listener of sale.listeners) listener.looked?.(pulse);
    });
  };

  const tend = (): void => {
    for (const [saleId, sale] of sales) {
      const idle = sale.listeners.size === 0 && performance.now() - sale.idleSinceMs > LINGER_MS;
      if (idle) forget(saleId);
      else if (!sale.hearing && subscriber.status === 'ready') void listen(saleId, sale);
    }
    if (looking) return;
    looking = true;
    look()
      .catch(error => {
        for (const sale of sales.values()) goDeaf(sale);
        onError(error as Error);
      })
      .finally(() => {
        looking = false;
      });
  };

  subscriber.on('message', hear);
  subscriber.on('close', () => {
    for (const sale of sales.values()) goDeaf(sale);
  });
  subscriber.on('ready', () => {
    for (const [saleId, sale] of sales) void listen(saleId, sale);
  });
  const timer = setInterval(tend, LOOK_EVERY_MS);

  return {
    follow(saleId, listener) {
      let sale = sales.get(saleId);
      if (!sale) {
        sale = { listeners: new Set(), hearing: false, heard: 0, due: 0, idleSinceMs: 0 };
        sales.set(saleId, sale);
        saleOf.set(channelOf(saleId), saleId);
        if (subscriber.status === 'ready') void listen(saleId, sale);
      }
      const { listeners } = sale;
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        sale.idleSinceMs = performance.now();
      };
    },
    hears: saleId => sales.get(saleId)?.hearing ?? false,
    close() {
      clearInterval(timer);
      sales.clear();
      subscriber.disconnect();
    },
  };
}
