import { waitersCounted } from '#core/process/telemetry.js';
import type { Feed } from '#core/redis/feed/feed.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { type RecentSale, redisNowMs, type Sales } from '../mirror/sales.js';
import { SaleWaiters } from './sale-waiters.js';
import { Waiter } from './waiter.js';

/** The most requests and streams that may wait in one process. Each costs about 2 kB and an open connection. */
const WAITERS_MAX = 10_000;

/** While the feed is deaf, every waiter is woken this often, in ms, to look by itself. */
const TICK_MS = SECOND_MS;

/** While the feed hears, a fifth of the waiters is woken in each tick all the same. */
const SLOW_TICKS = 5;

/** The parts that waiting works with. */
export interface WaitersParts {
  readonly feed: Pick<Feed, 'follow' | 'hears'>;
  readonly sales: Pick<Sales, 'find' | 'forget'>;
}

/** The requests and streams of this process that wait for news. */
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
   * Opens a waiter, which must leave in the end.
   *
   * @throws Problem `too_many_requests` when too many wait already, and `unknown_sale`; the failures of Redis
   */
  async open(saleId: string, buyerId: string): Promise<Waiter> {
    const sale = await this.#sales.find(saleId);
    if (this.#count >= WAITERS_MAX) {
      throw new Problem('too_many_requests', { retryAfterSeconds: 1, detail: 'too many wait for news already' });
    }
    const waiters = this.#bySale.get(saleId) ?? this.#follow(sale);
    const waiter = new Waiter(this.#opened % SLOW_TICKS, () => {
      this.#count -= 1;
      waiters.remove(buyerId, waiter);
      if (!waiters.isEmpty) return;
      waiters.stop();
      this.#bySale.delete(saleId);
    });
    this.#count += 1;
    this.#opened += 1;
    waiters.add(buyerId, waiter);
    if (this.#closed) waiter.leave();
    return waiter;
  }

  /** Returns the number of waiters. */
  count(): number {
    return this.#count;
  }

  /** Ends the waiting of all waiters now, and of later ones at once. */
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
