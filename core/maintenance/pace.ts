/**
 * Comparing takes at most one part in this many of the time, as it reads the whole sale in both stores in the middle of
 * a rush.
 */
const SHARE = 20;

/** Shortest and longest pause between two comparisons of a sale, in ms. */
const PAUSE_MIN_MS = 4_000;
const PAUSE_MAX_MS = 60_000;

/**
 * Decides when each sale is compared again: soon after a quick comparison, later after a slow one. The state is local
 * to a process and may be lost.
 */
export class Pace {
  readonly #nextAtMs = new Map<string, number>();

  /** Tells whether a sale is due for a comparison. */
  isDue(saleId: string): boolean {
    return performance.now() >= (this.#nextAtMs.get(saleId) ?? 0);
  }

  /**
   * Records a comparison.
   *
   * @param tookMs its duration, in ms
   */
  compared(saleId: string, tookMs: number): void {
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, SHARE * tookMs));
    this.#nextAtMs.set(saleId, performance.now() + pauseMs);
  }
}
