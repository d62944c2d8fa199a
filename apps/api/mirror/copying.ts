import type { Redis } from '#core/redis/connection.js';
import type { Change } from '#core/redis/feed/changes.js';
import { scanBuyers } from '#core/redis/sale/buyers.js';
import { readStanding } from '#core/redis/sale/standing.js';
import { Mirror } from './mirror.js';

/** The most buyers of one copy, which take about 100 bytes each. A larger sale asks Redis for every refusal. */
const BUYERS_MAX = 1_000_000;

/** The most changes that are kept while a copy is made. */
const BUFFERED_MAX = 10_000;

/**
 * Makes a copy of a sale. It keeps the changes from the feed while it reads the whole sale, and then applies them. So
 * no change is missed.
 */
export class Copying {
  /** Resolves to the copy; to undefined for a sale that is too large or has units, and after {@link giveUp}. */
  readonly done: Promise<Mirror | undefined>;
  readonly #redis: Redis;
  readonly #saleId: string;
  readonly #buffered: Change[] = [];
  #resolve: (copy: Promise<Mirror | undefined> | undefined) => void = () => undefined;
  #begun = false;
  #over = false;

  constructor(redis: Redis, saleId: string) {
    this.#redis = redis;
    this.#saleId = saleId;
    this.done = new Promise(resolve => {
      this.#resolve = resolve;
    });
  }

  /** Starts to read. Must be called once the feed hears the sale; a second call is a no-op. */
  begin(): void {
    if (this.#begun || this.#over) return;
    this.#begun = true;
    this.#resolve(this.#copy());
  }

  /** Keeps a change that came while the sale is read. */
  buffer(change: Change): void {
    if (this.#buffered.length < BUFFERED_MAX) this.#buffered.push(change);
  }

  /** Ends the copying without a copy. */
  giveUp(): void {
    this.#over = true;
    this.#resolve(undefined);
  }

  async #copy(): Promise<Mirror | undefined> {
    const standing = await readStanding(this.#redis, this.#saleId);
    const { verified, free, waiting, state, closesAtMs, claims } = standing;
    const isOver = state === 'closed' || standing.nowMs >= closesAtMs;
    if (!verified || !(isOver || free === 0) || claims + waiting > BUYERS_MAX) return undefined;
    const mirror = new Mirror(standing);
    await scanBuyers(this.#redis, this.#saleId, buyer => {
      if (!this.#over) mirror.setBuyer(buyer);
    });
    // The scan may have seen changes whose messages are still on their way. The mirror answers once it has heard them.
    const askedAtMs = performance.now();
    mirror.confirm({ ...(await readStanding(this.#redis, this.#saleId)), askedAtMs });
    const isWhole = this.#buffered.length < BUFFERED_MAX && this.#buffered.every(change => mirror.apply(change));
    return isWhole && !this.#over ? mirror : undefined;
  }
}
