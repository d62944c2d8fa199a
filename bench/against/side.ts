import type pg from 'pg';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { freePort } from '#stack/processes/free-port.js';
import { answers } from '#stack/processes/process.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import type { Generator } from '../load/generator.js';
import { buyerName, type LoadPlan } from '../load/plan.js';
import type { LoadRig } from '../measure/crowd.js';
import type { Options } from '../options.js';
import { type BeforeEnd, createPool } from '../rig/rig.js';
import type { Server } from '../rig/server.js';
import { type Checkout, runCli, startScript } from './checkout.js';

const READY_MS = 30_000;
const PRICE_MINOR = '4900';
const PAY_WITHIN_SECONDS = '3600';

/** The table `orders` is published, and so are these columns (prisma/migrations). */
const ORDERS = `
  SELECT count(*)::int AS orders, coalesce(extract(epoch FROM max(placed_at) - min(placed_at)), 0)::float8 AS seconds
  FROM orders WHERE buyer_id BETWEEN $1 AND $2 AND status IN ('pending_payment', 'paid')`;

/** The table `accounts` is published, too. A wallet is the account of a buyer. */
const CREDIT = `
  INSERT INTO accounts (kind, owner, currency, balance_minor)
  SELECT 'buyer', owner, 'EUR', $2::bigint FROM unnest($1::text[]) AS b (owner)`;

/** Buyers with successive numbers; see {@link buyerName}. */
export type Buyers = Pick<LoadPlan, 'first' | 'count'>;

/** A sale that a side opens. */
export interface SaleForm {
  units: number;
  settlement: 'deferred' | 'immediate';
}

/** Orders that Postgres holds. */
export interface Placed {
  orders: number;
  /** From the first of them to the last, by Postgres's clock. */
  seconds: number;
}

/** The things that a side is started with. Both sides have one generator and one secret, so buyers' tokens fit both. */
export interface SideSpec {
  checkout: Checkout;
  options: Options;
  generator: Generator;
  secret: string;
}

interface Started {
  stores: PrivateStores;
  redis: Redis;
  api: Server;
}

/**
 * One checkout of a comparison, with private stores and a running API. A side knows only the published things of its
 * version: commands, settings, routes and the table `orders`.
 */
export class Side implements LoadRig {
  readonly options: Options;
  readonly generator: Generator;
  readonly stores: PrivateStores;
  readonly redis: Redis;
  readonly #spec: SideSpec;
  #api: Server;
  #databaseUrl: string;
  #pool: pg.Pool;

  constructor(spec: SideSpec, { stores, redis, api }: Started) {
    this.#spec = spec;
    this.options = spec.options;
    this.generator = spec.generator;
    this.stores = stores;
    this.redis = redis;
    this.#api = api;
    this.#databaseUrl = stores.databaseUrl;
    this.#pool = createPool(stores.databaseUrl, 1);
  }

  get api(): Server {
    return this.#api;
  }

  get pool(): pg.Pool {
    return this.#pool;
  }

  /**
   * Empties the stores (FLUSHALL, and a new database), starts another API, and opens a sale with the side's own commands. An API
   * is quick or slow for as long as it lives, so each round has one of its own.
   *
   * @param saleId also the name of the database; lower case
   */
  async openSale(saleId: string, { units, settlement }: SaleForm): Promise<void> {
    await this.#api.stop();
    await this.redis.flushall('SYNC');
    this.#api = await startApi(this.#spec, this.stores.redisUrl);
    await this.#useDatabase(await this.stores.postgres.createDatabase(saleId));
    const environment = this.#stores();
    await runCli(this.#spec.checkout, ['migrate'], environment);
    const terms = ['--price', PRICE_MINOR, '--pay-within', PAY_WITHIN_SECONDS, '--standby-factor', '0'];
    const form = ['--units', String(units), '--settlement', settlement, ...terms];
    const sale = ['sale', 'create', '--id', saleId, ...form];
    await runCli(this.#spec.checkout, sale, environment);
  }

  /**
   * Starts the worker and waits for the first order of a backlog. Older workers show their readiness in no other way.
   *
   * @throws Error with the worker's output, when the worker ends first, or places no order within 30 s
   */
  startWorker(backlog: Buyers): Promise<Pick<Server, 'pid' | 'stop'>> {
    return startScript(this.#spec.checkout, 'start:worker', {
      environment: this.#stores(),
      isReady: async () => (await this.readPlaced(backlog)).orders > 0,
      withinMs: READY_MS,
    });
  }

  /** Gives each buyer the money for one unit. */
  async credit({ first, count }: Buyers): Promise<void> {
    const buyers = Array.from({ length: count }, (_, i) => buyerName(first + i));
    await this.#pool.query(CREDIT, [buyers, PRICE_MINOR]);
  }

  async readPlaced({ first, count }: Buyers): Promise<Placed> {
    const { rows } = await this.#pool.query(ORDERS, [buyerName(first), buyerName(first + count - 1)]);
    return rows[0] as Placed;
  }

  async close(): Promise<void> {
    await this.#api.stop();
    await this.#pool.end();
    this.redis.disconnect();
  }

  async #useDatabase(url: string): Promise<void> {
    await this.#pool.end();
    this.#databaseUrl = url;
    this.#pool = createPool(url, 1);
  }

  #stores(): Record<string, string> {
    return {
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      REDIS_URL: this.stores.redisUrl,
      DATABASE_URL: this.#databaseUrl,
    };
  }
}

/**
 * Starts the stores and the API of a checkout.
 *
 * @param beforeEnd remembers what to stop, also when starting fails half-way
 * @throws Error with the API's output when it is not ready within 30 s
 */
export async function startSide(spec: SideSpec, beforeEnd: BeforeEnd): Promise<Side> {
  const stores = await startPrivateStores();
  beforeEnd(() => stores.stop());
  // A lost connection shows in the next command.
  const redis = connectRedis(stores.redisUrl, 'steps', () => undefined);
  beforeEnd(() => redis.disconnect());
  await waitUntilReady(redis, READY_MS);
  // Redis would rewrite its append-only file in the middle of a measurement.
  await redis.config('SET', 'auto-aof-rewrite-percentage', '0');
  const api = await startApi(spec, stores.redisUrl);
  const side = new Side(spec, { stores, redis, api });
  beforeEnd(() => side.close());
  return side;
}

async function startApi({ checkout, secret }: SideSpec, redisUrl: string): Promise<Server> {
  const port = await freePort();
  const api = await startScript(checkout, 'start:api', {
    environment: {
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      REDIS_URL: redisUrl,
      AUTH_SECRET: secret,
      PORT: String(port),
      HOST: '127.0.0.1',
    },
    isReady: () => answers(`http://127.0.0.1:${port}/readyz`),
    withinMs: READY_MS,
  });
  return { port, pid: api.pid, stop: api.stop };
}
