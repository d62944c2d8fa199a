import { LRUCache } from 'lru-cache';
import type { Redis } from '#core/redis/connection.js';
import { isUnknown } from '#core/redis/registry.js';
import { type LoadedSale, readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { NotVerified, Problem } from '#core/rules/errors.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/** `GET /sales/:saleId` may be cached for 1 s, so no process reads a sale more often than that. */
const SALE_AGE_MAX_MS = SECOND_MS;
const SALES_MAX = 1_000;

/** A sale that was read from Redis a moment ago. */
export interface RecentSale extends LoadedSale {
  /** This process's `performance.now()` when the sale was read, in ms. */
  readAtMs: number;
}

/** Remembered of a sale that certainly doesn't exist, so that asking for the sale again costs Redis nothing. */
const UNKNOWN = 'unknown';

/** Reads sales from Redis, each at most once a second. */
export class Sales {
  readonly #recent: LRUCache<string, RecentSale | typeof UNKNOWN>;

  constructor(redis: Redis) {
    this.#recent = new LRUCache({
      max: SALES_MAX,
      ttl: SALE_AGE_MAX_MS,
      // The cache would otherwise read the time by a timer, which a busy turn of the event loop delays.
      ttlResolution: 0,
      // A load whose entry is evicted or forgotten still answers the requests that wait for it.
      ignoreFetchAbort: true,
      async fetchMethod(saleId, _stale, { options }) {
        const askedAtMs = performance.now();
        const sale = await withDeadline(load(redis, saleId), REDIS_STEP_MS, 'reading the sale');
        // The age counts from the question. 0 would mean an entry without an end.
        options.ttl = Math.max(1, SALE_AGE_MAX_MS - (performance.now() - askedAtMs));
        return sale ?? UNKNOWN;
      },
    });
  }

  /**
   * Returns the sale, at most a second old.
   *
   * @throws Problem `unknown_sale`; NotVerified while Redis can't be trusted about the sale; what ioredis throws
   */
  async find(saleId: string): Promise<RecentSale> {
    const sale = await this.#recent.forceFetch(saleId);
    if (sale === UNKNOWN) throw new Problem('unknown_sale');
    return sale;
  }

  /** Returns the sale without waiting, if it was read within the last second. */
  known(saleId: string): RecentSale | undefined {
    const sale = this.#recent.get(saleId);
    return sale === UNKNOWN ? undefined : sale;
  }

  /** Forgets every sale, so that the next look reads it again. */
  forget(): void {
    this.#recent.clear();
  }
}

/** Returns undefined for a sale that certainly doesn't exist, which is remembered like a sale. */
async function load(redis: Redis, saleId: string): Promise<RecentSale | undefined> {
  const [sale, runId] = await Promise.all([readLoadedSale(redis, saleId), readRunId(redis)]);
  if (sale?.runId === runId) return { ...sale, readAtMs: performance.now() };
  if (!sale && (await isUnknown(redis, saleId))) return undefined;
  throw new NotVerified(`sale ${saleId} is not verified in Redis`);
}

/** Returns the present time by Redis's clock, in ms since the epoch. */
export function redisNowMs(sale: RecentSale): number {
  return redisMsAt(sale, performance.now());
}

/**
 * Converts a time of this process to Redis's clock.
 *
 * @param atMs a time by this process's `performance.now()`, in ms
 * @returns the same time by Redis's clock, in ms since the epoch
 */
export function redisMsAt(sale: RecentSale, atMs: number): number {
  return sale.nowMs + (atMs - sale.readAtMs);
}
