/**
 * Remembers one time for each buyer, in a bounded table. The table has two generations. When the young one is full or
 * as old as `usefulMs`, it becomes the old one, and the old one is forgotten. So a buyer's time is kept for at least
 * `usefulMs`, unless more than `buyersMax` others come within that time.
 */
export class BuyerTimes {
  readonly #usefulMs: number;
  readonly #buyersMax: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #bornAtMs = Number.NEGATIVE_INFINITY;

  /**
   * Creates an empty table.
   *
   * @param usefulMs how long a time says something about its buyer, in ms
   * @param buyersMax the most buyers in one generation
   */
  constructor(usefulMs: number, buyersMax: number) {
    this.#usefulMs = usefulMs;
    this.#buyersMax = buyersMax;
  }

  /** The number of buyers in both generations; a buyer may be in both. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Returns the time of a buyer; undefined for a buyer of whom the table knows nothing. */
  of(buyerId: string): number | undefined {
    return this.#young.get(buyerId) ?? this.#old.get(buyerId);
  }

  /** Remembers the time of a buyer. */
  set(buyerId: string, timeMs: number, nowMs: number): void {
    if (this.#young.size >= this.#buyersMax || nowMs - this.#bornAtMs >= this.#usefulMs) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#bornAtMs = nowMs;
    }
    this.#young.set(buyerId, timeMs);
  }
}
