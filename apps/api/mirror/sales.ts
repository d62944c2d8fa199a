import { LRUCache } from 'lru-cache';
import type { Redis } from '#core/redis/connection.js';
import { isUnknown } from '#core/redis/registry.js';
import { type LoadedSale, readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { NotVerified, Problem } from '#core/rules/errors.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/** What `GET /sales/:saleId` may be cached for, by design; so no process needs to read it more often. */
const SALE_AGE_MAX_MS = SECOND_MS;
const SALES_MAX = 1_000;

/** A sale as it was a moment ago. */
export interface RecentSale extends LoadedSale {
  /** This process's own clock when the sale was read, in ms. */
  readAtMs: number;
}

export interface Sales {
  /**
   * @returns the sale, at most a second old
   * @throws Problem unknown_sale; NotVerified when Redis can't be believed about it; what ioredis throws
   */
  find(saleId: string): Promise<RecentSale>;
  /** @returns the sale, if it was read within the last second: then nobody needs to wait */
  known(saleId: string): RecentSale | undefined;
  forget(): void;
}

/** What is remembered of a sale that certainly doesn't exist, so that asking for it again costs Redis nothing. */
const UNKNOWN = 'unknown';

/**
 * @param redis a connection
 * @returns the sales that Redis has
 */
export function createSales(redis: Redis): Sales {
  const recent = new LRUCache<string, RecentSale | typeof UNKNOWN>({
    max: SALES_MAX,
    ttl: SALE_AGE_MAX_MS,
    // The cache would otherwise ask for the time by a timer, which a busy turn of the event loop delays.
    ttlResolution: 0,
    // A load whose entry is pushed out or forgotten still answers those who wait for it.
    ignoreFetchAbort: true,
    async fetchMethod(saleId, _stale, { options }) {
      const askedAtMs = performance.now();
      const sale = await withDeadline(load(redis, saleId), REDIS_STEP_MS, 'reading the sale');
      // The age counts from the question. 0 would mean an entry without an end.
      options.ttl = Math.max(1, SALE_AGE_MAX_MS - (performance.now() - askedAtMs));
      return sale ?? UNKNOWN;
    },
  });
  const known = (saleId: string) => {
    const sale = recent.get(saleId);
    return sale === UNKNOWN ? undefined : sale;
  };
  return {
    async find(saleId) {
      const sale = await recent.forceFetch(saleId);
      if (sale === UNKNOWN) throw new Problem('unknown_sale');
      return sale;
    },
    known,
    forget: () => recent.clear(),
  };
}

/** Undefined for a sale that certainly doesn't exist: that is remembered too. */
async function load(redis: Redis, saleId: string): Promise<RecentSale | undefined> {
  const [sale, runId] = await Promise.all([readLoadedSale(redis, saleId), readRunId(redis)]);
  if (sale?.runId === runId) return { ...sale, readAtMs: performance.now() };
  if (!sale && (await isUnknown(redis, saleId))) return undefined;
  throw new NotVerified(`sale ${saleId} is not verified in Redis`);
}

/**
 * @param sale a sale as it was read
 * @returns Redis's clock by now, in ms since the epoch
 */
export function redisNowMs(sale: RecentSale): number {
  return redisMsAt(sale, performance.now());
}

/**
 * @param sale a sale as it was read
 * @param atMs a moment by this process's own clock, in ms
 * @returns Redis's clock at that moment, in ms since the epoch
 */
export function redisMsAt(sale: RecentSale, atMs: number): number {
  return sale.nowMs + (atMs - sale.readAtMs);
}
