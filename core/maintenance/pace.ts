/**
 * The pause after a comparison of a sale, as a multiple of the time that the comparison took. A comparison reads the
 * whole sale from both stores, and must not slow down a rush.
 */
const SHARE = 20;

/** Shortest and longest pause between two comparisons of a sale that changes, in ms. */
const PAUSE_MIN_MS = 4_000;
const PAUSE_MAX_MS = 60_000;

/** Longest pause between two comparisons of a sale in which nothing changes, in ms. */
const QUIET_MAX_MS = 3_600_000;

/**
 * The time over which a new process spreads its first looks at quiet sales, in ms for each sale. A comparison takes some 3 ms, so this
 * is a hundredth of a core.
 */
const SPREAD_MS = 300;

/** A round makes comparisons for this long even if another one waits for its end, in ms. A server may be lost again and again. */
const ROUND_MIN_MS = 2_000;

/** When a sale is compared again. */
interface Plan {
  /** The earliest time if it has changed, and the time if it has not, in ms since this process started. */
  changedAtMs: number;
  quietAtMs: number;
  /** Since when nothing has changed, as far as this process knows. */
  quietSinceMs: number;
}

/**
 * Decides when reconcile compares each sale again. One that has changed: soon after a quick comparison, later after a slow one.
 * One that has not: after as long as it has been quiet, an hour at most. Each process keeps its own pace; a new process spreads
 * its first looks at quiet sales.
 */
export class Pace {
  readonly #plans = new Map<string, Plan>();
  #hurriedAtMs = Number.NEGATIVE_INFINITY;

  /** Whether this process has not looked at any sale yet. */
  get isNew(): boolean {
    return this.#plans.size === 0;
  }

  /**
   * Tells whether reconcile should compare a sale now.
   *
   * @param seen whether the sale has changed since any process compared it, and the number of all sales
   */
  isDue(saleId: string, { isChanged, sales }: { isChanged: boolean; sales: number }): boolean {
    const nowMs = performance.now();
    let plan = this.#plans.get(saleId);
    if (!plan) {
      const spreadMs = Math.min(QUIET_MAX_MS, SPREAD_MS * (sales - 1));
      plan = { changedAtMs: nowMs, quietAtMs: nowMs + Math.random() * spreadMs, quietSinceMs: nowMs - spreadMs };
      this.#plans.set(saleId, plan);
    }
    return nowMs >= (isChanged ? plan.changedAtMs : plan.quietAtMs);
  }

  /**
   * Records that a sale was just compared, and schedules its next comparison.
   *
   * @param seen the duration of the comparison, in ms, and whether the sale had changed
   */
  compared(saleId: string, { tookMs, isChanged }: { tookMs: number; isChanged: boolean }): void {
    const nowMs = performance.now();
    const pauseMs = Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, SHARE * tookMs));
    const quietSinceMs = isChanged ? nowMs : (this.#plans.get(saleId)?.quietSinceMs ?? nowMs);
    const quietMs = Math.min(QUIET_MAX_MS, Math.max(pauseMs, nowMs - quietSinceMs));
    this.#plans.set(saleId, { changedAtMs: nowMs + pauseMs, quietAtMs: nowMs + quietMs, quietSinceMs });
  }

  /**
   * Makes sales due that this process knows: their changes may have been missed.
   *
   * @param isConcerned selects the sales; all if not given
   */
  hurry(isConcerned: (saleId: string) => boolean = () => true): void {
    const nowMs = performance.now();
    this.#hurriedAtMs = nowMs;
    for (const [saleId, plan] of this.#plans) {
      if (isConcerned(saleId)) Object.assign(plan, { quietAtMs: nowMs, quietSinceMs: nowMs });
    }
  }

  /**
   * Tells whether the end of a round is waited for, because sales became due in a hurry after it had begun.
   *
   * @param beganAtMs by `performance.now()`, in ms
   */
  isWaitedFor(beganAtMs: number): boolean {
    return this.#hurriedAtMs > beganAtMs && performance.now() > beganAtMs + ROUND_MIN_MS;
  }
}
