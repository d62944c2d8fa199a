import { countOrders, type OrderCounts } from '../postgres/audit.js';
import type { Database } from '../postgres/database.js';
import type { Redis } from '../redis/connection.js';
import { type LoadedSale, readLoadedSale, readRunId } from '../redis/sale/sale.js';
import { SECOND_MS, withDeadline } from '../rules/clock.js';
import { phaseOf, type Sale, type SalePhase } from '../rules/sale.js';

/**
 * Longest time that the overview of a sale waits for Redis, in ms. The figures from Postgres are shown even while Redis
 * is away.
 */
const REDIS_LIMIT_MS = 2 * SECOND_MS;

/**
 * The state of a sale in Redis. `ready`: loaded, and compared with Postgres since Redis started. In every other state
 * the sale gives out nothing.
 */
export type SaleInRedis = 'ready' | 'unverified' | 'not_loaded' | 'away';

/** A sale as the operator sees it. Times are in ISO 8601 and UTC, amounts in minor units. */
export interface SaleOverview {
  id: string;
  title: string;
  phase: SalePhase;
  state: Sale['state'];
  units: number;
  priceMinor: number;
  currency: string;
  opensAt: string;
  closesAt: string;
  payWithinSeconds: number;
  settlement: Sale['settlement'];
  provider: Sale['provider'];
  lateMoney: Sale['lateMoney'];
  standbyFactor: number;
  onePurchaseAtATime: boolean;
  minSecondsBetweenPurchases: number;
  generation: number;
  inRedis: SaleInRedis;
  /** The number of free units in Redis. Null when Redis does not have the sale, like `unplaced` and `waiting`. */
  free: number | null;
  unplaced: number | null;
  waiting: number | null;
  /** The orders of the sale by status, counted in Postgres. */
  orders: OrderCounts;
}

/**
 * Reads the overview of a sale from Postgres and Redis. While Redis is away, the overview has only the figures of
 * Postgres.
 *
 * @throws Prisma's error
 */
export async function overviewOf(stores: { db: Database; redis: Redis }, sale: Sale): Promise<SaleOverview> {
  const [orders, { inRedis, loaded }] = await Promise.all([
    countOrders(stores.db, sale.id),
    look(stores.redis, sale.id),
  ]);
  const { opensAtMs, closesAtMs, ...rest } = sale;
  const free = loaded?.remaining ?? sale.units - orders.live;
  return {
    ...rest,
    phase: phaseOf(sale, free, loaded?.nowMs ?? Date.now()),
    opensAt: new Date(opensAtMs).toISOString(),
    closesAt: new Date(closesAtMs).toISOString(),
    inRedis,
    free: loaded?.remaining ?? null,
    unplaced: loaded?.unplaced ?? null,
    waiting: loaded?.waiting ?? null,
    orders,
  };
}

async function look(redis: Redis, saleId: string): Promise<{ inRedis: SaleInRedis; loaded?: LoadedSale }> {
  try {
    const reads = Promise.all([readLoadedSale(redis, saleId), readRunId(redis)]);
    const [loaded, runId] = await withDeadline(reads, REDIS_LIMIT_MS, 'reading the sale');
    if (!loaded) return { inRedis: 'not_loaded' };
    return { inRedis: loaded.runId === runId ? 'ready' : 'unverified', loaded };
  } catch {
    // The overview only shows that Redis is away. Commands that need Redis report the cause.
    return { inRedis: 'away' };
  }
}
