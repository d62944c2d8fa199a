import { SECOND_MS } from '#core/rules/clock.js';
import { BuyerTimes } from './buyer-times.js';

/** A limit in figures: what all API processes together let one buyer do. */
export interface Figure {
  /** The most requests at once. */
  readonly burst: number;
  /** The most requests a second in the long run. */
  readonly perSecond: number;
}

/**
 * The most buyers in a limit's table, which takes 2 MB. A time in it matters until it is past: for 1.6 s at most, if 8
 * processes share the limit. One process answers fewer buyers in that time (docs/scaling.md).
 */
const BUYERS_MAX = 131_072;

/** Returns the time after which a buyer who used up a limit has all of it again, in ms. */
export function refillMs({ burst, perSecond }: Figure): number {
  return (burst / perSecond) * SECOND_MS;
}

/**
 * A limit on the requests of each buyer. It is the generic cell rate algorithm in its form "virtual scheduling" (ITU-T
 * I.371, annex A), which needs one number for each buyer: the time at which the next request would arrive if the buyer
 * kept exactly to the rate. A request that comes earlier than that time by more than the tolerance is refused, and
 * leaves the number as it is.
 */
export class Limit {
  readonly #figure: Figure;
  readonly #dueMs: BuyerTimes;
  #spacingMs = 0;
  #toleranceMs = 0;

  constructor(figure: Figure, buyersMax = BUYERS_MAX) {
    this.#figure = figure;
    this.#dueMs = new BuyerTimes(buyersMax);
    this.shareAmong(1);
  }

  /** Sets the number of processes that share the figure. Each lets through an equal part, and one request at least. */
  shareAmong(processes: number): void {
    const { burst, perSecond } = this.#figure;
    this.#spacingMs = (processes * SECOND_MS) / perSecond;
    this.#toleranceMs = Math.max(0, burst / processes - 1) * this.#spacingMs;
  }

  /**
   * Counts a request of a buyer, if the limit allows one now.
   *
   * @param nowMs the present time of a clock that never goes back, in ms
   * @returns 0 for a request that was counted; else the time until the limit allows one, in ms
   */
  take(buyerId: string, nowMs: number): number {
    const entry = this.#dueMs.entryOf(buyerId);
    const waitMs = this.#waitMsOf(entry, nowMs);
    // A time in the past says nothing about its buyer any more.
    if (waitMs === 0) this.#dueMs.setTime(entry, Math.max(this.#dueMs.timeAt(entry), nowMs) + this.#spacingMs);
    return waitMs;
  }

  /** Returns what {@link take} would return, and counts nothing. */
  waitMs(buyerId: string, nowMs: number): number {
    return this.#waitMsOf(this.#dueMs.entryOf(buyerId), nowMs);
  }

  #waitMsOf(entry: number, nowMs: number): number {
    return Math.max(0, this.#dueMs.timeAt(entry) - this.#toleranceMs - nowMs);
  }
}
