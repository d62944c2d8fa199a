import type { Change } from '#core/redis/feed/changes.js';
import type { Feed } from '#core/redis/feed/feed.js';
import type { Listener } from '#core/redis/feed/followed-sale.js';
import { BuyerWaiters } from './buyer-waiters.js';
import type { Standing } from './waiter.js';

/**
 * How long after the sale's opening and its end its waiters are woken, in ms. This process estimates Redis's clock to a few ms, so the
 * sale is then certainly open, or closed.
 */
const MARGIN_MS = 50;

/** The longest delay of a timer in Node, in ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A sale whose buyers wait for news, and the feed that reports the sale's changes. */
interface FollowedFrom {
  readonly feed: Pick<Feed, 'follow'>;
  /**
   * Called before all waiters are woken, to drop cached copies of the sale. The sale may have been paused, resumed or
   * closed.
   */
  readonly onSaleChanged: () => void;
  readonly saleId: string;
  /** The time until the sale's window begins, in ms. No message reports that, nor its end. */
  readonly opensInMs: number;
  readonly closesInMs: number;
}

/**
 * The waiters of one sale: requests and streams that wait for news. A buyer's change wakes this buyer's waiters; a
 * change of the sale's state wakes all of them.
 */
export class SaleWaiters implements Listener {
  readonly #onSaleChanged: () => void;
  readonly #byBuyer = new Map<string, BuyerWaiters>();
  readonly #unfollow: () => void;
  readonly #timers: readonly NodeJS.Timeout[];
  #state: Change['state'] = 'open';

  constructor({ feed, onSaleChanged, saleId, opensInMs, closesInMs }: FollowedFrom) {
    this.#onSaleChanged = onSaleChanged;
    this.#unfollow = feed.follow(saleId, this);
    // The cached sale may have been read before the feed followed the sale's changes, so it may be stale.
    onSaleChanged();
    const moments = [...(opensInMs > 0 ? [opensInMs] : []), Math.max(0, closesInMs)];
    this.#timers = moments.map(ms => setTimeout(() => this.wakeAll(), Math.min(TIMER_MAX_MS, ms + MARGIN_MS)));
  }

  get isEmpty(): boolean {
    return this.#byBuyer.size === 0;
  }

  /** Adds a waiter of a buyer, and returns the buyer's waiters. It may replace the buyer's oldest one. */
  add(buyerId: string, waiter: Standing): BuyerWaiters {
    let waiters = this.#byBuyer.get(buyerId);
    if (!waiters) {
      waiters = new BuyerWaiters();
      this.#byBuyer.set(buyerId, waiters);
    }
    waiters.add(waiter);
    return waiters;
  }

  remove(buyerId: string, waiter: Standing): void {
    const waiters = this.#byBuyer.get(buyerId);
    waiters?.remove(waiter);
    if (waiters?.isEmpty) this.#byBuyer.delete(buyerId);
  }

  /** Wakes all waiters. The sale may have changed without a message, so its cached copy is dropped too. */
  wakeAll(): void {
    this.#onSaleChanged();
    for (const waiters of this.#byBuyer.values()) waiters.wake();
  }

  /** Wakes the waiters that have this tick, to read their status without news. */
  wakeTick(tick: number): void {
    for (const waiters of this.#byBuyer.values()) waiters.wake(tick);
  }

  /** Ends all waiters, so that their requests are answered. */
  leaveAll(): void {
    for (const waiters of [...this.#byBuyer.values()]) waiters.leaveAll();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#unfollow();
  }

  changed({ state, buyers }: Change): void {
    if (state !== this.#state) {
      this.#state = state;
      this.wakeAll();
    }
    for (const { buyerId } of buyers) this.#byBuyer.get(buyerId)?.wake();
  }

  listening(): void {
    this.wakeAll();
  }

  deaf(): void {
    this.wakeAll();
  }
}
