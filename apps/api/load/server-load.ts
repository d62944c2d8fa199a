import { storeFailed } from '#core/process/telemetry.js';
import { readOutboxAges } from '#core/redis/claims/outbox.js';
import type { Redis } from '#core/redis/connection.js';
import { Fullness } from '#core/redis/server/memory.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { nextLevel, OUTBOX_AGES_MS } from './shed-level.js';

/** How far behind the workers are with the sales of one server of Redis, and how full it is. */
export class ServerLoad {
  readonly fullness: Fullness;
  readonly #redis: Redis;
  /** The levels of the sales whose outbox is too old. There is mostly none. */
  #levels = new Map<string, number>();
  #outboxAgeMs = 0;
  #reading = false;

  constructor(redis: Redis) {
    this.#redis = redis;
    this.fullness = new Fullness(redis);
  }

  /** The age of the oldest outbox at the last reading, in ms. */
  get outboxAgeMs(): number {
    return this.#outboxAgeMs;
  }

  /** The levels of the sales whose outbox is too old. */
  get levels(): ReadonlyMap<string, number> {
    return this.#levels;
  }

  /** Reads the ages of the outboxes, and how full Redis is. While Redis is away the last ones hold; its requests get 503 anyway. */
  async read(): Promise<void> {
    if (this.#reading || this.#redis.status !== 'ready') return;
    this.#reading = true;
    try {
      const reading = Promise.all([readOutboxAges(this.#redis), this.fullness.measure()]);
      const [ages] = await withDeadline(reading, SECOND_MS, 'reading the outboxes');
      this.#outboxAgeMs = Math.max(0, ...ages.values());
      const levels = [...ages].map(([saleId, ageMs]): [string, number] => [
        saleId,
        nextLevel(this.#levels.get(saleId) ?? 0, ageMs, OUTBOX_AGES_MS),
      ]);
      this.#levels = new Map(levels.filter(([, level]) => level > 0));
    } catch (error) {
      storeFailed('redis', error);
    } finally {
      this.#reading = false;
    }
  }
}
