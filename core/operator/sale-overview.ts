import { countOrdersOfEach, type OrderCounts } from '../postgres/audit.js';
import type { Database } from '../postgres/database.js';
import type { Redis } from '../redis/connection.js';
import { type LoadedSale, readLoadedSale, readRunId } from '../redis/sale/sale.js';
import type { Shards } from '../redis/shards.js';
import { SECOND_MS, withDeadline } from '../rules/clock.js';
import { type OpeningKind, phaseOf, type Sale, type SalePhase } from '../rules/sale.js';

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
  opening: OpeningKind;
  /** When buyers may begin to join; null for a rush. */
  joinsAt: string | null;
  opensAt: string;
  closesAt: string;
  payWithinSeconds: number;
  settlement: Sale['settlement'];
  provider: Sale['provider'];
  lateMoney: Sale['lateMoney'];
  standbyFactor: number;
  onePurchaseAtATime: boolean;
  minSecondsBetweenPurchases: number;
  unpaidLimit: number;
  retryPayWithinSeconds?: number | undefined;
  perGroup: number;
  needsPass: boolean;
  passWork: number;
  /** The sale is hidden until then; null for a sale that is never hidden. */
  announceAt: string | null;
  coarseStock: boolean;
  generation: number;
  inRedis: SaleInRedis;
  /** The number of free units in Redis. Null when Redis does not have the sale, like `unplaced` and `waiting`. */
  free: number | null;
  unplaced: number | null;
  waiting: number | null;
  /** The orders of the sale by status, counted in Postgres. */
  orders: OrderCounts;
}

/** The most sales whose overviews are read at the same time, unless a single one has more units than {@link UNITS_AT_ONCE}. */
const SALES_AT_ONCE = 50;

/** The most units of sales whose orders one statement counts: a second of Postgres if each unit had an order. */
const UNITS_AT_ONCE = 1_000_000;

interface Stores {
  db: Database;
  redis: Shards;
}

/**
 * Reads the overview of a sale from Postgres and Redis. While Redis is away, the overview has only the figures of
 * Postgres.
 *
 * @throws Prisma's error
 */
export async function overviewOf(stores: Stores, sale: Sale): Promise<SaleOverview> {
  const [overview] = (await readOverviews(stores, [sale])) as [SaleOverview];
  return overview;
}

/**
 * Reads the overviews of sales as {@link overviewOf} does, some at a time: each group takes one statement, and one round trip to Redis.
 *
 * @returns the overviews in the order of the sales
 * @throws Prisma's error
 */
export async function overviewsOf(stores: Stores, sales: readonly Sale[]): Promise<SaleOverview[]> {
  const overviews: SaleOverview[] = [];
  for (const some of groupsOf(sales)) overviews.push(...(await readOverviews(stores, some)));
  return overviews;
}

function* groupsOf(sales: readonly Sale[]): Generator<Sale[]> {
  let group: Sale[] = [];
  let units = 0;
  for (const sale of sales) {
    if (group.length === SALES_AT_ONCE || (group.length > 0 && units + sale.units > UNITS_AT_ONCE)) {
      yield group;
      group = [];
      units = 0;
    }
    group.push(sale);
    units += sale.units;
  }
  if (group.length > 0) yield group;
}

async function readOverviews({ db, redis }: Stores, sales: readonly Sale[]): Promise<SaleOverview[]> {
  const ids = sales.map(({ id }) => id);
  const [counts, looks] = await Promise.all([countOrdersOfEach(db, ids), look(redis, ids)]);
  return sales.map((sale, i) => overviewFrom(sale, counts[i] as OrderCounts, looks[i] as Look));
}

function overviewFrom(sale: Sale, orders: OrderCounts, { inRedis, loaded }: Look): SaleOverview {
  const { joinsAtMs, announceAtMs, opensAtMs, closesAtMs, unitSeed: _, ...rest } = sale;
  const free = loaded?.remaining ?? sale.units - orders.live;
  return {
    ...rest,
    phase: phaseOf({ ...sale, line: loaded?.line }, free, loaded?.nowMs ?? Date.now()),
    joinsAt: joinsAtMs === undefined ? null : new Date(joinsAtMs).toISOString(),
    announceAt: announceAtMs === undefined ? null : new Date(announceAtMs).toISOString(),
    opensAt: new Date(opensAtMs).toISOString(),
    closesAt: new Date(closesAtMs).toISOString(),
    inRedis,
    free: loaded?.remaining ?? null,
    unplaced: loaded?.unplaced ?? null,
    waiting: loaded?.waiting ?? null,
    orders,
  };
}

/** A sale as a look at Redis has found it. */
interface Look {
  inRedis: SaleInRedis;
  loaded?: LoadedSale;
}

function look(redis: Shards, saleIds: readonly string[]): Promise<Look[]> {
  const runIds = new Map<Redis, Promise<string>>();
  const runIdOf = (server: Redis) => {
    const runId = runIds.get(server) ?? readRunId(server);
    runIds.set(server, runId);
    return runId;
  };
  const lookAt = async (saleId: string): Promise<Look> => {
    try {
      const reads = Promise.all([readLoadedSale(redis, saleId), runIdOf(redis.of(saleId))]);
      const [loaded, ofRedis] = await withDeadline(reads, REDIS_LIMIT_MS, 'reading the sale');
      if (!loaded) return { inRedis: 'not_loaded' };
      return { inRedis: loaded.runId === ofRedis ? 'ready' : 'unverified', loaded };
    } catch {
      // The overview only shows that Redis is away. Commands that need Redis report the cause.
      return { inRedis: 'away' };
    }
  };
  return Promise.all(saleIds.map(lookAt));
}
