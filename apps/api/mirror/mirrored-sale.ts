import { refusedFromMemory, storeFailed } from '#core/process/telemetry.js';
import type { Change } from '#core/redis/feed/changes.js';
import type { Feed } from '#core/redis/feed/feed.js';
import type { Listener } from '#core/redis/feed/followed-sale.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import { Copying } from './copying.js';
import type { Mirror, Refusal } from './mirror.js';

/** The time-out for copying a sale from Redis into memory, in ms. Reading four million buyers takes about 12 s. */
const COPY_MS = 20_000;

/**
 * The pause between losing a mirror, a copy of a sale in memory, and making the next one, in ms. While each mirror is
 * lost within 10 s, the pause doubles, up to 30 s.
 */
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;
const LASTED_MS = 10_000;

/** The pause after no mirror was made, mostly because the sale still has units to give, in ms. */
const NO_USE_PAUSE_MS = 500;

/**
 * The number of rounds without a refusal after which a mirror is dropped. The feed makes a round every 500 ms, so this
 * is about a minute.
 */
const IDLE_ROUNDS = 120;

/** The parts of the API that a mirror needs. It copies the sale from Redis, and the feed reports the sale's changes. */
export interface MirrorParts {
  readonly redis: Shards;
  readonly feed: Pick<Feed, 'follow' | 'hears'>;
}

/**
 * One sale whose buyers may be refused from memory. Its mirror, a copy of the sale, is made on demand. The mirror is
 * dropped when a change may have been missed, and made again after a pause.
 */
export class MirroredSale implements Listener {
  readonly #parts: MirrorParts;
  readonly #saleId: string;
  /** The {@link Copying} that makes the next mirror or has made the present one; undefined while there is neither. */
  #copying: Copying | undefined;
  #mirror: Mirror | undefined;
  #unfollow: () => void = () => undefined;
  /** When the making of a mirror last began or ended, by `performance.now()`, in ms. */
  #sinceMs = 0;
  #pauseMs = PAUSE_MIN_MS;
  /** No mirror is made before this time, by `performance.now()`, in ms. */
  #notBeforeMs = 0;
  #idleRounds = 0;
  /**
   * Number of buyers refused since the last report to the metrics. Counting each one there would cost as much as
   * refusing.
   */
  readonly #refused: Record<Refusal, number> = { sold_out: 0, closed: 0 };

  constructor(parts: MirrorParts, saleId: string) {
    this.#parts = parts;
    this.#saleId = saleId;
  }

  /** Whether the sale may be forgotten: it has no mirror, makes none, and has no pause to keep. */
  get isUnused(): boolean {
    return !this.#mirror && this.#notBeforeMs < performance.now();
  }

  /** Returns why the sale's mirror refuses the buyer, or undefined when only Redis can tell. */
  refusalOf(buyerId: string): Refusal | undefined {
    const refusal = this.#mirror?.refusalOf(buyerId);
    if (refusal === undefined) return undefined;
    this.#idleRounds = 0;
    this.#refused[refusal] += 1;
    return refusal;
  }

  /** Starts to make a mirror. It is a no-op if there is one, one is being made, or a pause must be kept. */
  want(): void {
    if (!this.#mirror && performance.now() >= this.#notBeforeMs) this.#copy();
  }

  close(): void {
    this.#report();
    this.#unfollow();
  }

  changed(change: Change): void {
    if (!this.#mirror) this.#copying?.buffer(change);
    else if (!this.#mirror.apply(change)) this.#lose();
  }

  listening(): void {
    this.#copying?.begin();
  }

  deaf(): void {
    this.#lose();
  }

  looked(pulse: Parameters<Mirror['confirm']>[0] & { verified: boolean }): void {
    this.#report();
    this.#idleRounds += 1;
    if (!pulse.verified || this.#idleRounds > IDLE_ROUNDS) this.#lose();
    else this.#mirror?.confirm(pulse);
  }

  #copy(): void {
    const { redis, feed } = this.#parts;
    const copying = new Copying(redis, this.#saleId);
    this.#copying = copying;
    this.#notBeforeMs = Number.POSITIVE_INFINITY;
    this.#sinceMs = performance.now();
    this.#idleRounds = 0;
    const stop = feed.follow(this.#saleId, this);
    this.#unfollow = () => {
      this.#copying = undefined;
      copying.giveUp();
      stop();
    };
    if (feed.hears(this.#saleId)) copying.begin();
    withDeadline(copying.done, COPY_MS, 'copying a sale')
      .then(mirror => {
        if (this.#copying !== copying) return;
        this.#sinceMs = performance.now();
        this.#mirror = mirror;
        if (!mirror) this.#drop(NO_USE_PAUSE_MS);
      })
      .catch(error => {
        storeFailed('redis', error);
        if (this.#copying === copying) this.#lose();
      });
  }

  /**
   * Drops the mirror or the one being made, as a change may have been missed or nobody uses it. The next one waits for
   * a pause.
   */
  #lose(): void {
    const lasted = this.#mirror !== undefined && performance.now() - this.#sinceMs > LASTED_MS;
    this.#pauseMs = lasted ? PAUSE_MIN_MS : Math.min(PAUSE_MAX_MS, 2 * this.#pauseMs);
    this.#drop(this.#pauseMs);
  }

  #drop(pauseMs: number): void {
    this.#report();
    this.#unfollow();
    this.#unfollow = () => undefined;
    this.#mirror = undefined;
    this.#notBeforeMs = performance.now() + pauseMs;
  }

  #report(): void {
    refusedFromMemory(this.#refused);
    this.#refused.sold_out = 0;
    this.#refused.closed = 0;
  }
}
