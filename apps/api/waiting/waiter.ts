/** Why a waiter ended: its request or process ended, or the buyer has opened too many later ones. */
type End = 'left' | 'replaced';

/**
 * A request or stream that waits for news of one buyer in one sale. News that comes before {@link next} is called is
 * kept for it.
 */
export class Waiter {
  /** The tick, 0 to 4, in which the waiter is woken even without news (see {@link Waiters}). */
  readonly tick: number;
  readonly #onLeave: () => void;
  #hasNews = false;
  #end: End | undefined;
  #interrupt: (() => void) | undefined;

  /**
   * Creates a waiter without news.
   *
   * @param onLeave called once, when the waiter ends
   */
  constructor(tick: number, onLeave: () => void) {
    this.tick = tick;
    this.#onLeave = onLeave;
  }

  /** Tells the waiter that there may be news of its buyer. */
  wake(): void {
    this.#hasNews = true;
    this.#interrupt?.();
  }

  /**
   * Waits for news of the buyer.
   *
   * @param limitMs the longest wait, in ms
   * @returns `news` as soon as there may be news since the last call; `timeout` after the limit; once the waiter has
   *   ended, why it did
   */
  async next(limitMs: number): Promise<'news' | 'timeout' | End> {
    if (!this.#hasNews && !this.#end && limitMs > 0) await this.#sleep(limitMs);
    if (this.#end) return this.#end;
    const isNews = this.#hasNews;
    this.#hasNews = false;
    return isNews ? 'news' : 'timeout';
  }

  /** Ends the waiter at once and for good. A second call is a no-op. */
  leave(): void {
    this.#stop('left');
  }

  /** Ends the waiter like {@link leave}, as the buyer has opened too many later ones. */
  replace(): void {
    this.#stop('replaced');
  }

  #stop(end: End): void {
    if (this.#end) return;
    this.#end = end;
    this.#interrupt?.();
    this.#onLeave();
  }

  async #sleep(limitMs: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, limitMs);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#interrupt = undefined;
  }
}

/** A waiter as its sale wakes and ends it: a request that waits, or a stream. */
export type Standing = Pick<Waiter, 'tick' | 'wake' | 'leave' | 'replace'>;
