import { performance } from 'node:perf_hooks';
import { loadMeasured, requestsShed, storeFailed } from '#core/process/telemetry.js';
import { readOutboxAges } from '#core/redis/claims/outbox.js';
import type { Redis } from '#core/redis/connection.js';
import { Fullness } from '#core/redis/server/memory.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { LoopDelay } from './loop-delay.js';
import { LOOP_DELAYS_MS, nextLevel, OUTBOX_AGES_MS, SHED_FROM, SHED_KINDS, type ShedKind } from './shed-level.js';
import { nextSlowdown } from './slowdown.js';

/**
 * The answer to a request that is shed. Levels fall by one step a second, so a client that returns after 5 s meets an
 * eased process. A buyer with 20 s to pay can still try three times.
 */
const OVERLOADED = new Problem('overloaded', { retryAfterSeconds: 5 });

/** The step that refuses requests while this process, or a sale, is overloaded. */
export interface Admission {
  /**
   * Lets a request pass, unless requests of its kind are shed. The limit of each buyer comes before this step, so that
   * a flood by few buyers sheds nobody else.
   *
   * @param saleId the sale, for requests that depend on its outbox
   * @throws Problem `overloaded`: the request has done nothing
   */
  admit(kind: ShedKind, saleId?: string): void;
}

/** Measures once a second how busy this process is, how far behind the workers are, and how full Redis is. */
export class Load implements Admission {
  readonly #redis: Redis;
  readonly #fullness: Fullness;
  readonly #loopDelay = new LoopDelay();
  readonly #timer = setInterval(() => void this.#measure(), SECOND_MS);
  #before = performance.eventLoopUtilization();
  #slowdown = 1;
  #level = 0;
  /** The levels of the sales whose outbox is too old. There is mostly none. */
  #saleLevels = new Map<string, number>();
  #outboxAgeMs = 0;
  #reading = false;

  /** Starts to measure. */
  constructor(redis: Redis) {
    this.#redis = redis;
    this.#fullness = new Fullness(redis);
    // A series that is born with its first count would hide that count from Prometheus.
    for (const kind of SHED_KINDS) requestsShed(kind, 0);
  }

  /** The factor by which clients should poll less often than usual: 1, 2, 4, 8 or 16. */
  get slowdown(): number {
    return this.#slowdown;
  }

  /** A note for the operator while clicks are refused because Redis is nearly full. */
  get note(): string | undefined {
    return this.#fullness.note;
  }

  admit(kind: ShedKind, saleId?: string): void {
    const from = SHED_FROM[kind];
    const saleLevel = saleId === undefined ? 0 : (this.#saleLevels.get(saleId) ?? 0);
    // Only clicks take memory for good. Everything else finishes what was begun.
    const lacksRoom = kind === 'claim' && this.#fullness.refusesClicks;
    if (this.#level < from && saleLevel < from && !lacksRoom) return;
    requestsShed(kind, 1);
    throw OVERLOADED;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#loopDelay.close();
  }

  async #measure(): Promise<void> {
    const now = performance.eventLoopUtilization();
    this.#slowdown = nextSlowdown(this.#slowdown, performance.eventLoopUtilization(now, this.#before).utilization);
    this.#before = now;
    const delayMs = this.#loopDelay.read();
    this.#level = nextLevel(this.#level, delayMs, LOOP_DELAYS_MS);
    await this.#readRedis();
    loadMeasured({
      delayMs,
      outboxAgeMs: this.#outboxAgeMs,
      redisFullness: this.#fullness.ratio,
      level: Math.max(this.#level, this.#fullness.refusesClicks ? SHED_FROM.claim : 0, ...this.#saleLevels.values()),
    });
  }

  /**
   * Reads the ages of the outboxes, and how full Redis is. While Redis is away the last ones hold; its requests get 503
   * anyway.
   */
  async #readRedis(): Promise<void> {
    if (this.#reading || this.#redis.status !== 'ready') return;
    this.#reading = true;
    try {
      const reading = Promise.all([readOutboxAges(this.#redis), this.#fullness.measure()]);
      const [ages] = await withDeadline(reading, SECOND_MS, 'reading the outboxes');
      this.#outboxAgeMs = Math.max(0, ...ages.values());
      const levels = [...ages].map(([saleId, ageMs]): [string, number] => [
        saleId,
        nextLevel(this.#saleLevels.get(saleId) ?? 0, ageMs, OUTBOX_AGES_MS),
      ]);
      this.#saleLevels = new Map(levels.filter(([, level]) => level > 0));
    } catch (error) {
      storeFailed('redis', error);
    } finally {
      this.#reading = false;
    }
  }
}
