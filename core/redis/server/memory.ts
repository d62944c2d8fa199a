import type { Redis } from 'ioredis';
import { REDIS_NEARLY_FULL } from '../../rules/claim.js';

/** The used share of maxmemory below which clicks are accepted again. The distance keeps the API from changing its mind each second. */
const ROOM_AGAIN = 0.8;

/** Follows how full Redis is, and whether clicks are refused because of that. */
export class Fullness {
  readonly #redis: Redis;
  #ratio = 0;
  #refusesClicks = false;
  #measuring: Promise<void> | undefined;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** The used share of maxmemory at the last measurement, from 0 to 1; 0 without a maxmemory. */
  get ratio(): number {
    return this.#ratio;
  }

  /** Whether clicks are refused: from 85 % on, until less than 80 % is used. */
  get refusesClicks(): boolean {
    return this.#refusesClicks;
  }

  /** Says in words that clicks are refused, for as long as they are. */
  get note(): string | undefined {
    if (!this.#refusesClicks) return undefined;
    return `Redis has used ${Math.round(100 * this.#ratio)} % of its maxmemory: clicks are refused`;
  }

  /** Measures how full Redis is, and decides about clicks. While Redis doesn't answer, the last decision holds. */
  measure(): Promise<void> {
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    return this.#measuring;
  }

  async #measure(): Promise<void> {
    this.#ratio = fullnessOf(await this.#redis.info('memory'));
    this.#refusesClicks = this.#ratio >= (this.#refusesClicks ? ROOM_AGAIN : REDIS_NEARLY_FULL);
  }
}

/** Finds the used share of maxmemory in a reply of Redis's INFO; 0 without a maxmemory. */
function fullnessOf(info: string): number {
  const bytesOf = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const maxBytes = bytesOf('maxmemory');
  // Redis doesn't count the buffers of replicas and of the append-only file against maxmemory.
  return maxBytes > 0 ? (bytesOf('used_memory') - bytesOf('mem_not_counted_for_evict')) / maxBytes : 0;
}
