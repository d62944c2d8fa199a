import { waitersCounted } from '#core/process/telemetry.js';
import type { Change } from '#core/redis/feed/changes.js';
import type { Feed } from '#core/redis/feed/feed.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { type Place, takePlace, type Waiter } from './waiter.js';

/** The most requests and streams that may wait in one process; each costs about 2 kB and an open connection. */
const WAITERS_MAX = 10_000;

/** While the feed is deaf, everybody looks for themselves this often, in ms. */
const TICK_MS = SECOND_MS;

/** Everybody looks now and then all the same, each in another of so many ticks. */
const SLOW_TICKS = 5;

/** Our idea of Redis's clock is good to a few ms; by so much later, in ms, the sale is closed for certain. */
const CLOSING_MARGIN_MS = 50;

/** A timer can't be set for longer, in ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface Waiters {
  /**
   * @param saleId the sale
   * @param buyerId who waits
   * @param closesInMs time until the sale closes by itself, in ms: nobody is told of that
   * @returns a waiter, to be left in the end; undefined when too many wait already
   */
  open(saleId: string, buyerId: string, closesInMs: number): Waiter | undefined;
  /** @returns how many wait */
  count(): number;
  /** Everybody who waits is answered now, and whoever comes later at once. */
  close(): void;
}

interface SaleWaiters {
  byBuyer: Map<string, Set<Place>>;
  stop(): void;
}

/**
 * @param feed tells what changed
 * @param onSaleChanged told, before everybody is woken, that a sale may have been paused, resumed or closed
 * @returns nobody waits yet
 */
export function openWaiters(feed: Feed, onSaleChanged: () => void): Waiters {
  const sales = new Map<string, SaleWaiters>();
  let count = 0;
  let taken = 0;
  let ticks = 0;
  let closed = false;

  const wake = ({ byBuyer }: SaleWaiters, isTurn: (place: Place) => boolean): void => {
    for (const places of byBuyer.values()) for (const place of places) if (isTurn(place)) place.wake();
  };
  // The sale may have changed without a word, so what was read of it a moment ago is not good enough.
  const wakeAll = (sale: SaleWaiters): void => {
    onSaleChanged();
    wake(sale, () => true);
  };

  const follow = (saleId: string, closesInMs: number): SaleWaiters => {
    const byBuyer: SaleWaiters['byBuyer'] = new Map();
    const sale: SaleWaiters = { byBuyer, stop: () => undefined };
    const everybody = () => wakeAll(sale);
    let state: Change['state'] = 'open';
    const unfollow = feed.follow(saleId, {
      changed(change) {
        if (change.state !== state) {
          state = change.state;
          everybody();
        }
        for (const { buyerId } of change.buyers) for (const place of byBuyer.get(buyerId) ?? []) place.wake();
      },
      listening: everybody,
      deaf: everybody,
    });
    // What was read of the sale before may be older than all that the feed will tell.
    onSaleChanged();
    const closing = setTimeout(everybody, Math.min(TIMER_MAX_MS, Math.max(0, closesInMs) + CLOSING_MARGIN_MS));
    sale.stop = () => {
      clearTimeout(closing);
      unfollow();
    };
    sales.set(saleId, sale);
    return sale;
  };

  const timer = setInterval(() => {
    ticks += 1;
    waitersCounted(count);
    for (const [saleId, sale] of sales) {
      if (feed.hears(saleId)) wake(sale, place => place.turn === ticks % SLOW_TICKS);
      else wakeAll(sale);
    }
  }, TICK_MS);

  return {
    open(saleId, buyerId, closesInMs) {
      if (count >= WAITERS_MAX) return undefined;
      const sale = sales.get(saleId) ?? follow(saleId, closesInMs);
      const places = sale.byBuyer.get(buyerId) ?? new Set();
      const place = takePlace(taken % SLOW_TICKS, () => {
        count -= 1;
        places.delete(place);
        if (places.size === 0) sale.byBuyer.delete(buyerId);
        if (sale.byBuyer.size > 0) return;
        sale.stop();
        sales.delete(saleId);
      });
      count += 1;
      taken += 1;
      sale.byBuyer.set(buyerId, places.add(place));
      if (closed) place.leave();
      return place;
    },
    count: () => count,
    close() {
      closed = true;
      clearInterval(timer);
      for (const { byBuyer } of [...sales.values()]) {
        for (const places of [...byBuyer.values()]) for (const place of [...places]) place.leave();
      }
    },
  };
}
