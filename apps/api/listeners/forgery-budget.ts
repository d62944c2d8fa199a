import { SECOND_MS } from '#core/rules/clock.js';

/**
 * The bytes of forged events that this process reads and verifies in a second. After a quiet second it takes as many at
 * once. That is more than the 256 connections of an nginx bring, so a provider that catches up meets no limit.
 */
const BYTES_PER_SECOND = 16 * 1_024 * 1_024;

/** The cost of an event besides its bytes: a small one costs as much CPU time as this many bytes of a large one. */
const OVERHEAD_BYTES = 16 * 1_024;

/**
 * The least bytes that an event counts, which is more than a usual one has. Otherwise small forgeries would take the
 * budget each time before it is enough for a genuine event.
 */
const LEAST_BYTES = 8 * 1_024;

const costOf = (bytes: number): number => OVERHEAD_BYTES + Math.max(LEAST_BYTES, bytes);

/**
 * Bounds the work that forged events cause. Only its body shows whether an event is forged. So each event takes its
 * cost from the budget before its body is read, and a genuine one gives its cost back. A shop with many payments meets
 * no limit. The budget is that of all senders together, as every request comes from the address of the proxy. The proxy
 * limits each address.
 *
 * The budget counts bytes and not events. In a flood of large forgeries it is never enough for the next large one, but
 * soon enough again for an event of usual size, so most genuine events pass.
 */
export class ForgeryBudget {
  #bytes = BYTES_PER_SECOND;
  #filledAtMs = performance.now();

  /**
   * Takes the cost of an event.
   *
   * @param bytes the length of the event's body
   * @param nowMs the present time, by `performance.now()`, in ms
   * @returns false when the budget is used up: then the event must be refused
   */
  take(bytes: number, nowMs: number): boolean {
    const gained = ((nowMs - this.#filledAtMs) / SECOND_MS) * BYTES_PER_SECOND;
    this.#bytes = Math.min(BYTES_PER_SECOND, this.#bytes + gained);
    this.#filledAtMs = nowMs;
    const cost = costOf(bytes);
    if (cost > this.#bytes) return false;
    this.#bytes -= cost;
    return true;
  }

  /** Gives back the cost of an event that turned out to be genuine. */
  giveBack(bytes: number): void {
    this.#bytes = Math.min(BYTES_PER_SECOND, this.#bytes + costOf(bytes));
  }
}
