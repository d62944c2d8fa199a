import { LRUCache } from 'lru-cache';
import { isBucketWhole, isUnknown } from '#core/redis/registry.js';
import { type LoadedSale, readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { NotVerified, Problem } from '#core/rules/errors.js';
import { isHidden } from '#core/rules/sale.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/**
 * The age up to which a sale that was read from Redis is used, in ms. `GET /sales/:saleId` may be cached for 1 s, so no
 * process reads a sale more often.
 */
const SALE_AGE_MAX_MS = SECOND_MS;
const SALES_MAX = 1_000;

/** A sale that was read from Redis a moment ago. */
export interface RecentSale extends LoadedSale {
  /** When the sale was read, by this process's `performance.now()`, in ms. */
  readAtMs: number;
}

/** Cached instead of a sale that certainly doesn't exist, so that asking for the same id again costs Redis nothing. */
const UNKNOWN = 'unknown';

/** Receives a sale, or undefined and the error. The callback is called once and must not throw. */
type GotSale = (sale: RecentSale | undefined, error?: unknown) => void;

/**
 * Reads sales from Redis and caches each for at most a second. A sale that is hidden at present counts as one that does not exist, so
 * every call that asks here answers alike.
 */
export class Sales {
  readonly #recent: LRUCache<string, RecentSale | typeof UNKNOWN>;
  /** The callbacks that wait for a sale, by its id. */
  readonly #asking = new Map<string, GotSale[]>();

  constructor(redis: Shards) {
    this.#recent = new LRUCache({
      max: SALES_MAX,
      ttl: SALE_AGE_MAX_MS,
      // With a coarser resolution, lru-cache reuses a time until a timer fires. A busy event loop delays that timer.
      ttlResolution: 0,
      // A sale may be evicted or forgotten while it is being read. The requests that wait for it still get it.
      ignoreFetchAbort: true,
      async fetchMethod(saleId, _stale, { options }) {
        const askedAtMs = performance.now();
        const sale = await withDeadline(load(redis, saleId), REDIS_STEP_MS, 'reading the sale');
        // The sale's age counts from the time at which Redis was asked. A ttl of 0 would never expire, so it is at
        // least 1 ms.
        options.ttl = Math.max(1, SALE_AGE_MAX_MS - (performance.now() - askedAtMs));
        return sale ?? UNKNOWN;
      },
    });
  }

  /**
   * Returns a sale, read from Redis at most a second ago.
   *
   * @throws Problem `unknown_sale`; NotVerified while Redis can't be trusted about the sale; what ioredis throws
   */
  async find(saleId: string): Promise<RecentSale> {
    const sale = await this.#recent.forceFetch(saleId);
    if (sale === UNKNOWN || isHidden(sale, redisNowMs(sale))) throw new Problem('unknown_sale');
    return sale;
  }

  /** Returns a sale from the cache, if it was read within the last second, without asking Redis. */
  known(saleId: string): RecentSale | undefined {
    const sale = this.#recent.get(saleId);
    return sale === undefined || sale === UNKNOWN || isHidden(sale, redisNowMs(sale)) ? undefined : sale;
  }

  /**
   * Calls back with what {@link find} returns or throws, at once if the sale is known. All who ask while it is read share
   * one promise: a closed sale is news for thousands of streams in the same turn.
   */
  ask(saleId: string, answer: GotSale): void {
    const asking = this.#asking.get(saleId);
    if (asking) return void asking.push(answer);
    const known = this.known(saleId);
    if (known) return void answer(known);
    const answers = [answer];
    this.#asking.set(saleId, answers);
    const end = (sale: RecentSale | undefined, error?: unknown) => {
      if (this.#asking.get(saleId) === answers) this.#asking.delete(saleId);
      for (const each of answers) each(sale, error);
    };
    this.find(saleId).then(
      sale => end(sale),
      error => end(undefined, error),
    );
  }

  /** Empties the cache, so that each sale is read from Redis when it is next needed. */
  forget(): void {
    this.#recent.clear();
    // Those who ask from now on need a sale that is read from now on.
    this.#asking.clear();
  }
}

/** Reads a sale from Redis. Returns undefined for one that certainly doesn't exist, which is cached like a sale. */
async function load(redis: Shards, saleId: string): Promise<RecentSale | undefined> {
  const [sale, runId] = await Promise.all([readLoadedSale(redis, saleId), readRunId(redis.of(saleId))]);
  if (sale?.runId === runId) return { ...sale, readAtMs: performance.now() };
  // While a hidden sale is compared or rebuilt, it shows no more than at other times.
  if (sale && isHidden(sale, sale.nowMs) && (await isBucketWhole(redis, saleId))) return undefined;
  if (sale) throw new NotVerified(`sale ${saleId} is not verified in Redis`);
  if (await isUnknown(redis, saleId)) return undefined;
  // The words of the fence, as a call has them that is under way while the keys are moved.
  throw new NotVerified(`sale ${saleId} in Redis: unknown_sale`);
}

/** When a sale was read, by Redis's clock and by this process's. */
type ReadTimes = Pick<RecentSale, 'nowMs' | 'readAtMs'>;

/** Returns the present time by Redis's clock, in ms since the epoch, as estimated since the sale was read. */
export function redisNowMs(sale: ReadTimes): number {
  return redisMsAt(sale, performance.now());
}

/**
 * Converts a time of this process to Redis's clock, which was read together with the sale.
 *
 * @param atMs a time by this process's `performance.now()`, in ms
 * @returns the same time by Redis's clock, in ms since the epoch
 */
export function redisMsAt(sale: ReadTimes, atMs: number): number {
  return sale.nowMs + (atMs - sale.readAtMs);
}
