import type { OrderAnswer } from '../answers/order-answer.js';
import type { Waiter } from './waiter.js';

/**
 * The most waits of one buyer for one sale in this process. A person has a few tabs and devices; a script gains nothing
 * by more.
 */
const WAITS_MAX = 4;

/** An order's status, and its JSON text for all streams that send it. */
export interface Seen {
  readonly answer: OrderAnswer;
  readonly text: string;
}

/** The waiters of one buyer for one sale. Those that look after the same news share one look-up and its text. */
export class BuyerWaiters {
  /** In the order of their opening. */
  readonly #waiters = new Set<Waiter>();
  /** The look-ups under way since the last news, by the receipt that each came with. */
  readonly #looks = new Map<string | undefined, Promise<Seen>>();

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Adds a waiter. The oldest one is replaced when there are too many. */
  add(waiter: Waiter): void {
    // A look-up that began before the request came may have read a status older than the request.
    this.#looks.clear();
    const [oldest] = this.#waiters;
    if (oldest && this.#waiters.size >= WAITS_MAX) oldest.replace();
    this.#waiters.add(waiter);
  }

  remove(waiter: Waiter): void {
    this.#waiters.delete(waiter);
  }

  /** Wakes the waiters: all of them, or those that have this tick. */
  wake(tick?: number): void {
    this.#looks.clear();
    for (const waiter of this.#waiters) if (tick === undefined || waiter.tick === tick) waiter.wake();
  }

  leaveAll(): void {
    // The set is copied, as each waiter that leaves is removed from it.
    for (const waiter of [...this.#waiters]) waiter.leave();
  }

  /**
   * Reads the buyer's status. A look-up under way is shared, unless there was news since it began.
   *
   * @param receipt the receipt of the request, as a look-up with another one may find another status
   * @param look begins the look-up
   * @throws what `look` throws
   */
  look(receipt: string | undefined, look: () => Promise<OrderAnswer>): Promise<Seen> {
    const shared = this.#looks.get(receipt);
    if (shared) return shared;
    const seen = look().then(answer => ({ answer, text: JSON.stringify(answer) }));
    this.#looks.set(receipt, seen);
    const forget = () => {
      if (this.#looks.get(receipt) === seen) this.#looks.delete(receipt);
    };
    seen.then(forget, forget);
    return seen;
  }
}
