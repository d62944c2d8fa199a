/**
 * The pause after a comparison of a sale, as a multiple of the time that the comparison took. A comparison reads the
 * whole sale from both stores, and must not slow down a rush.
 */
const SHARE = 20;

/** Shortest and longest pause between two comparisons of one sale, in ms. */
const PAUSE_MIN_MS = 4_000;
const PAUSE_MAX_MS = 60_000;

/**
 * Decides when reconcile compares each sale again: soon after a quick comparison, later after a slow one. Each process
 * keeps its own pace; losing it only makes the next comparison early.
 */
export class Pace {
  readonly #nextAtMs = new Map<string, number>();

  /** Tells whether reconcile should compare a sale now. */
  isDue(saleId: string): boolean {
    return performance.now() >= (this.#nextAtMs.get(saleId) ?? 0);
  }

  /**
   * Records that a sale was just compared, and schedules its next comparison.
   *
   * @param tookMs duration of the comparison, in ms
   */
  compared(saleId: string, tookMs: number): void {
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, SHARE * tookMs));
    this.#nextAtMs.set(saleId, performance.now() + pauseMs);
  }
}
