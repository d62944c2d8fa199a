import type { OrderAnswer } from '../answers/order-answer.js';
import type { Standing } from './waiter.js';

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

/**
 * The waiters of one buyer for one sale. Those that look after the same news share one look-up and its text. Nearly every
 * buyer has one waiter, and thousands of buyers may wait.
 */
export class BuyerWaiters {
  /** In the order of their opening. */
  readonly #waiters: Standing[] = [];
  /** The look-ups under way since the last news, by the receipt that each came with. */
  #looks: Map<string | undefined, Promise<Seen>> | undefined;

  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /** Adds a waiter. The oldest one is replaced when there are too many. */
  add(waiter: Standing): void {
    // A look-up that began before the request came may have read a status older than the request.
    this.#looks = undefined;
    if (this.#waiters.length >= WAITS_MAX) this.#waiters[0]?.replace();
    this.#waiters.push(waiter);
  }

  remove(waiter: Standing): void {
    const i = this.#waiters.indexOf(waiter);
    if (i !== -1) this.#waiters.splice(i, 1);
  }

  /** Wakes the waiters: all of them, or those that have this tick. */
  wake(tick?: number): void {
    this.#looks = undefined;
    for (const waiter of this.#waiters) if (tick === undefined || waiter.tick === tick) waiter.wake();
  }

  leaveAll(): void {
    // The list is copied, as each waiter that leaves is removed from it.
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
    const shared = this.#looks?.get(receipt);
    if (shared) return shared;
    const seen = look().then(answer => ({ answer, text: JSON.stringify(answer) }));
    this.#looks ??= new Map();
    const looks = this.#looks.set(receipt, seen);
    const forget = () => looks.delete(receipt);
    seen.then(forget, forget);
    return seen;
  }
}
