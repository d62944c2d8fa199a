/** Comparing may take one twentieth of the time: it reads the whole sale in both stores, in the middle of the rush. */
const SHARE = 20;

/** At least this long, in ms, and at most that long from one comparison of a sale to the next. */
const PAUSE_MIN_MS = 4_000;
const PAUSE_MAX_MS = 60_000;

/** When each sale is compared again: soon if that is quick, later if it is work. Kept by one process, which may forget it. */
export class Pace {
  readonly #nextAtMs = new Map<string, number>();

  /**
   * @param saleId a sale
   * @returns whether it is time to compare it
   */
  isDue(saleId: string): boolean {
    return performance.now() >= (this.#nextAtMs.get(saleId) ?? 0);
  }

  /**
   * @param saleId a sale that was just compared
   * @param tookMs how long that took, in ms
   */
  compared(saleId: string, tookMs: number): void {
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, SHARE * tookMs));
    this.#nextAtMs.set(saleId, performance.now() + pauseMs);
  }
}
