/** A request or stream that waits for news of one buyer in one sale. News before the first {@link next} count. */
export class Waiter {
  /** The tick in which it looks without news (see {@link Waiters}). */
  readonly tick: number;
  readonly #onLeave: () => void;
  #hasNews = false;
  #left = false;
  #interrupt: (() => void) | undefined;

  /** @param onLeave called once, when it leaves */
  constructor(tick: number, onLeave: () => void) {
    this.tick = tick;
    this.#onLeave = onLeave;
  }

  /** Tells it that there may be news. */
  wake(): void {
    this.#hasNews = true;
    this.#interrupt?.();
  }

  /**
   * Waits for news.
   *
   * @param limitMs the longest wait, in ms
   * @returns `news` as soon as there may be news since the last call; `timeout` after the limit; `left` once it has left
   */
  async next(limitMs: number): Promise<'news' | 'timeout' | 'left'> {
    if (!this.#hasNews && !this.#left && limitMs > 0) await this.#sleep(limitMs);
    if (this.#left) return 'left';
    const isNews = this.#hasNews;
    this.#hasNews = false;
    return isNews ? 'news' : 'timeout';
  }

  /** Ends the waiting at once and for good. A second call is a no-op. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
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
