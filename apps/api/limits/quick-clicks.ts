import { clicksTooQuick } from '#core/process/telemetry.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { BuyerTimes } from './buyer-times.js';

/** People need longer than this to see that a sale has opened and to click, in ms. */
const REACTION_MS = 150;

/** People click less often than every 100 ms. */
const REPEAT_MS = 100;

/** The most buyers whose last click is remembered, which takes 256 kB. With more of them in 100 ms, fewer repeats are counted. */
const BUYERS_MAX = 16_384;

const none = () => ({ opening: 0, repeat: 0 });

/**
 * Counts clicks that come quicker than a hand: soon after the opening, and soon after the buyer's click before. It only counts, as a
 * person may share a buyer's name with a script, and a slow network bunches clicks. Nobody is refused by it.
 */
export class QuickClicks {
  readonly #lastMs = new BuyerTimes(BUYERS_MAX);
  readonly #timer: NodeJS.Timeout;
  #counts = none();

  constructor() {
    // The kinds appear in the metrics before their first click.
    clicksTooQuick(this.#counts);
    this.#timer = setInterval(() => this.report(), SECOND_MS);
  }

  /** Counts a click of a buyer if it follows their last one too quickly. */
  clicked(buyerId: string, nowMs = performance.now()): void {
    const entry = this.#lastMs.entryOf(buyerId);
    const lastMs = this.#lastMs.timeAt(entry);
    if (lastMs > 0 && nowMs - lastMs < REPEAT_MS) this.#counts.repeat += 1;
    this.#lastMs.setTime(entry, nowMs);
  }

  /** Counts clicks that a sale has served this long after its opening, in ms. */
  served(clicks: number, sinceOpeningMs: number): void {
    if (sinceOpeningMs < REACTION_MS) this.#counts.opening += clicks;
  }

  /** Adds the counts to the metrics. */
  report(): void {
    clicksTooQuick(this.#counts);
    this.#counts = none();
  }

  close(): void {
    clearInterval(this.#timer);
    this.report();
  }
}
