import type { Change } from '#core/redis/feed/changes.js';
import { scanBuyers } from '#core/redis/sale/buyers.js';
import { readStanding, type Standing } from '#core/redis/sale/standing.js';
import type { Shards } from '#core/redis/shards.js';
import { Mirror } from './mirror.js';

/**
 * The most buyers in one mirror, a copy of a sale in memory. Each takes at most 12 bytes, and some 3 us to copy. For a larger
 * sale, Redis decides about every click.
 */
const BUYERS_MAX = 4_000_000;

/** The most changes of a sale that are kept while its mirror is made. With more, the attempt fails. */
const BUFFERED_MAX = 10_000;

/** Tells whether a mirror would refuse buyers: the sale has nothing to give, and not too many buyers. */
export function isWorthCopying(standing: Standing): boolean {
  const { verified, free, waiting, state, closesAtMs, claims, nowMs } = standing;
  const isOver = state === 'closed' || nowMs >= closesAtMs;
  return verified && (isOver || free === 0) && claims + waiting <= BUYERS_MAX;
}

/**
 * Makes the mirror of a sale, its copy in memory. Changes that the feed reports during the reading are kept and then
 * applied. So no change is missed.
 */
export class Copying {
  /**
   * Resolves to the mirror, or to undefined if none was made. The sale may still have units, be too large or
   * unverified, or change too often. {@link giveUp} has the same result.
   */
  readonly done: Promise<Mirror | undefined>;
  readonly #redis: Shards;
  readonly #saleId: string;
  readonly #buffered: Change[] = [];
  #resolve: (copy: Promise<Mirror | undefined> | undefined) => void = () => undefined;
  #begun = false;
  #over = false;

  constructor(redis: Shards, saleId: string) {
    this.#redis = redis;
    this.#saleId = saleId;
    this.done = new Promise(resolve => {
      this.#resolve = resolve;
    });
  }

  /**
   * Starts to read the sale from Redis. Must be called once the feed receives the sale's changes; a second call is a
   * no-op.
   */
  begin(): void {
    if (this.#begun || this.#over) return;
    this.#begun = true;
    this.#resolve(this.#copy());
  }

  /** Keeps a change that arrives while the sale is being read. */
  buffer(change: Change): void {
    if (this.#buffered.length < BUFFERED_MAX) this.#buffered.push(change);
  }

  /** Ends the attempt without a mirror. */
  giveUp(): void {
    this.#over = true;
    this.#resolve(undefined);
  }

  async #copy(): Promise<Mirror | undefined> {
    const standing = await readStanding(this.#redis, this.#saleId);
    if (!isWorthCopying(standing)) return undefined;
    const mirror = new Mirror(standing);
    await scanBuyers(this.#redis, this.#saleId, buyer => {
      if (!this.#over) mirror.setBuyer(buyer);
    });
    // The scan may have read changes whose messages are still on their way. The mirror answers once those messages have
    // been applied.
    const askedAtMs = performance.now();
    mirror.confirm({ ...(await readStanding(this.#redis, this.#saleId)), askedAtMs });
    const isWhole = this.#buffered.length < BUFFERED_MAX && this.#buffered.every(change => mirror.apply(change));
    return isWhole && !this.#over ? mirror : undefined;
  }
}
