/** One buyer who waits for news of one sale. What came before the first {@link next} counts. */
export interface Waiter {
  /**
   * @param limitMs how long, in ms
   * @returns `news` as soon as there may be some since the last time; `time` when it is over; `left` when nobody may wait any more
   */
  next(limitMs: number): Promise<'news' | 'time' | 'left'>;
  /** Ends the waiting at once, and for good. */
  leave(): void;
}

/** A waiter as those see it who have news. */
export interface Place extends Waiter {
  /** The tick in which it looks without being told. */
  readonly turn: number;
  wake(): void;
}

/**
 * @param turn the tick in which it looks without being told
 * @param onLeave called once, when it leaves
 * @returns a waiter whom nobody has told anything yet
 */
export function takePlace(turn: number, onLeave: () => void): Place {
  let news = false;
  let left = false;
  let settle: (() => void) | undefined;
  return {
    turn,
    wake() {
      news = true;
      settle?.();
    },
    async next(limitMs) {
      if (!news && !left && limitMs > 0) {
        const timer = await new Promise<NodeJS.Timeout>(resolve => {
          const limit = setTimeout(() => settle?.(), limitMs);
          settle = () => resolve(limit);
        });
        clearTimeout(timer);
        settle = undefined;
      }
      if (left) return 'left';
      const isNews = news;
      news = false;
      return isNews ? 'news' : 'time';
    },
    leave() {
      if (left) return;
      left = true;
      settle?.();
      onLeave();
    },
  };
}
