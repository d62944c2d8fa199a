import { waitersCounted } from '#core/process/telemetry.js';
import type { Feed } from '#core/redis/feed/feed.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';
import type { BuyerWaiters } from './buyer-waiters.js';
import { SaleWaiters } from './sale-waiters.js';
import { type Standing, Waiter } from './waiter.js';

/** The most requests and streams that may wait in one process. A stream costs about 1 kB more than an idle connection. */
const WAITERS_MAX = 10_000;

/**
 * The time between two ticks, in ms. While the feed of changes is deaf (receives none), each tick wakes every waiter to
 * read its status.
 */
const TICK_MS = SECOND_MS;

/**
 * While the feed receives changes, each tick still wakes one waiter in five. So each waiter reads its status at least
 * every 5 s.
 */
const SLOW_TICKS = 5;

/** The parts of the API that waiting for news needs. */
export interface WaitersParts {
  readonly feed: Pick<Feed, 'follow' | 'hears'>;
  readonly sales: Pick<Sales, 'find' | 'forget'>;
}

/** A waiter that was opened, and the waiters of the same buyer for the same sale, it among them. */
export interface OpenWaiter<W extends Standing = Waiter> {
  readonly waiter: W;
  readonly ofBuyer: BuyerWaiters;
}

/** Creates a waiter that is woken in a tick, and calls `onLeave` once when it ends. */
type Create<W> = (tick: number, onLeave: () => void) => W;

/** The requests and streams of this process that wait for news of a buyer's order. */
export class Waiters {
  readonly #feed: WaitersParts['feed'];
  readonly #sales: WaitersParts['sales'];
  readonly #bySale = new Map<string, SaleWaiters>();
  readonly #timer: NodeJS.Timeout;
  #count = 0;
  #opened = 0;
  #ticks = 0;
  #closed = false;

  constructor({ feed, sales }: WaitersParts) {
    this.#feed = feed;
    this.#sales = sales;
    this.#timer = setInterval(() => this.#onTick(), TICK_MS);
  }

  /**
   * Opens a waiter for news of a buyer. The caller must end it with {@link Waiter.leave}. The buyer's oldest waiter for
   * the sale is replaced, if the buyer has too many.
   *
   * @throws Problem `too_many_requests` when too many wait already, and `unknown_sale`; the failures of Redis
   */
  open(saleId: string, buyerId: string): Promise<OpenWaiter> {
    return this.join(saleId, buyerId, (tick, onLeave) => new Waiter(tick, onLeave));
  }

  /** Opens a waiter like {@link open}, one that the caller creates. */
  async join<W extends Standing>(saleId: string, buyerId: string, create: Create<W>): Promise<OpenWaiter<W>> {
    const sale = await this.#sales.find(saleId);
    if (this.#count >= WAITERS_MAX) {
      throw new Problem('too_many_requests', { retryAfterSeconds: 1, detail: 'too many wait for news already' });
    }
    const waiters = this.#bySale.get(saleId) ?? this.#follow(sale);
    const waiter = create(this.#opened % SLOW_TICKS, () => {
      this.#count -= 1;
      waiters.remove(buyerId, waiter);
      if (!waiters.isEmpty) return;
      waiters.stop();
      this.#bySale.delete(saleId);
    });
    this.#count += 1;
    this.#opened += 1;
    const ofBuyer = waiters.add(buyerId, waiter);
    if (this.#closed) waiter.leave();
    return { waiter, ofBuyer };
  }

  /** Returns the number of waiters in this process. */
  count(): number {
    return this.#count;
  }

  /** Ends all waiters now, and later ones as soon as they are opened. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const waiters of [...this.#bySale.values()]) waiters.leaveAll();
  }

  #follow(sale: RecentSale): SaleWaiters {
    const waiters = new SaleWaiters({
      feed: this.#feed,
      onSaleChanged: () => this.#sales.forget(),
      saleId: sale.id,
      opensInMs: sale.opensAtMs - redisNowMs(sale),
      closesInMs: sale.closesAtMs - redisNowMs(sale),
    });
    this.#bySale.set(sale.id, waiters);
    return waiters;
  }

  #onTick(): void {
    this.#ticks += 1;
    waitersCounted(this.#count);
    for (const [saleId, waiters] of this.#bySale) {
      if (this.#feed.hears(saleId)) waiters.wakeTick(this.#ticks % SLOW_TICKS);
      else waiters.wakeAll();
    }
  }
}
