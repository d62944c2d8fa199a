import type { Change } from '#core/redis/feed/changes.js';
import type { Feed } from '#core/redis/feed/feed.js';
import type { Listener } from '#core/redis/feed/followed-sale.js';
import type { Waiter } from './waiter.js';

/** Our copy of Redis's clock is good to a few ms. This much later, in ms, the sale is closed for certain. */
const CLOSING_MARGIN_MS = 50;

/** The longest timer in Node, in ms. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The sale that waiters wait in, and where its changes come from. */
interface FollowedFrom {
  readonly feed: Pick<Feed, 'follow'>;
  /** Called before all waiters are woken: the sale may have been paused, resumed or closed. */
  readonly onSaleChanged: () => void;
  readonly saleId: string;
  /** The time until the sale closes by its window, in ms. No message tells that. */
  readonly closesInMs: number;
}

/** The waiters of one sale. A change wakes the waiters of its buyers; a change of the sale wakes all of them. */
export class SaleWaiters implements Listener {
  readonly #onSaleChanged: () => void;
  readonly #byBuyer = new Map<string, Set<Waiter>>();
  readonly #unfollow: () => void;
  readonly #closing: NodeJS.Timeout;
  #state: Change['state'] = 'open';

  constructor({ feed, onSaleChanged, saleId, closesInMs }: FollowedFrom) {
    this.#onSaleChanged = onSaleChanged;
    this.#unfollow = feed.follow(saleId, this);
    // The sale may have been read before the feed follows it, so that read may miss a change.
    onSaleChanged();
    const closing = Math.min(TIMER_MAX_MS, Math.max(0, closesInMs) + CLOSING_MARGIN_MS);
    this.#closing = setTimeout(() => this.wakeAll(), closing);
  }

  get isEmpty(): boolean {
    return this.#byBuyer.size === 0;
  }

  add(buyerId: string, waiter: Waiter): void {
    const waiters = this.#byBuyer.get(buyerId) ?? new Set();
    this.#byBuyer.set(buyerId, waiters.add(waiter));
  }

  remove(buyerId: string, waiter: Waiter): void {
    const waiters = this.#byBuyer.get(buyerId);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#byBuyer.delete(buyerId);
  }

  /** Wakes all waiters. The sale may have changed without a message, so it is read again. */
  wakeAll(): void {
    this.#onSaleChanged();
    for (const waiters of this.#byBuyer.values()) for (const waiter of waiters) waiter.wake();
  }

  /** Wakes the waiters of one tick. */
  wakeTick(tick: number): void {
    for (const waiters of this.#byBuyer.values()) {
      for (const waiter of waiters) if (waiter.tick === tick) waiter.wake();
    }
  }

  /** Ends the waiting of all waiters. */
  leaveAll(): void {
    // Leaving changes the sets that are walked through.
    for (const waiters of [...this.#byBuyer.values()]) for (const waiter of [...waiters]) waiter.leave();
  }

  stop(): void {
    clearTimeout(this.#closing);
    this.#unfollow();
  }

  changed({ state, buyers }: Change): void {
    if (state !== this.#state) {
      this.#state = state;
      this.wakeAll();
    }
    for (const { buyerId } of buyers) for (const waiter of this.#byBuyer.get(buyerId) ?? []) waiter.wake();
  }

  listening(): void {
    this.wakeAll();
  }

  deaf(): void {
    this.wakeAll();
  }
}
