import { join } from 'node:path';
import { type Audit, audit } from '#core/comparison/audit.js';
import { issueToken } from '#core/identity/token.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { createOpenSale, type SaleWishes } from '#stack/crowd/open-sale.js';
import { type Answer, createStorefront, type Storefront } from '#stack/crowd/storefront.js';
import { type PgBouncer, type PoolMode, startPgBouncer } from '#stack/pooler/pgbouncer.js';
import { freePort } from '#stack/processes/free-port.js';
import type { Supervised } from '#stack/processes/supervisor.js';
import { createSecrets, type Secrets } from '#stack/secrets.js';
import { type Stack, startStack } from '#stack/stack.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import { type PrivateStores, startPrivateStores } from '#stack/stores/private-stores.js';
import { build } from './build.js';

const CONNECTIONS = 8;
const SECOND_MS = 1_000;
const CURRENCY = 'EUR';
/** The mode of PgBouncer for every stack: `E2E_PGBOUNCER=transaction npm run test:e2e`. */
const EVERYWHERE = process.env.E2E_PGBOUNCER as PoolMode | undefined;

/** The processes of a test stack, and their settings. */
export interface TestStackOptions {
  /** Number of API processes, 1 by default. */
  apis?: number;
  /** Number of workers, 1 by default. */
  workers?: number;
  /** Starts the admin as well. */
  admin?: boolean;
  /** Settings of all processes. */
  env?: Record<string, string>;
  /** Puts PgBouncer in this mode between the processes and Postgres. E2E_PGBOUNCER does so for every stack. */
  pooler?: PoolMode | undefined;
  /** URLs of the stores for the processes, for example those of a proxy. The test itself connects directly. */
  urls?: (stores: PrivateStores) => Promise<{ redisUrl: string; databaseUrl: string }>;
  /** Receives the output of the processes. */
  log?: NodeJS.WritableStream;
}

/** The settings of a sale. The sale opens now unless `opensInSeconds` says otherwise. */
export type TestSale = SaleWishes & { opensInSeconds?: number };

/** A process that a test may kill. After any other death its supervisor restarts the process. */
export interface Killable {
  pid(): number | undefined;
  /** Ends the process in order. The process stays down until `restart`. */
  stop(): Promise<void>;
  /** Kills the process with `kill -9`. The process stays down until `restart`. */
  kill9(): Promise<void>;
  /** Starts the process again and waits until it is ready. */
  restart(): Promise<void>;
}

const killable = (process: Supervised): Killable => ({
  pid: process.pid,
  stop: process.stop,
  kill9: process.kill,
  async restart() {
    await process.stop();
    await process.start();
  },
});

interface Parts {
  stores: PrivateStores;
  pooler: PgBouncer | undefined;
  connections: Connections;
  stack: Stack;
  secrets: Secrets;
}

/** The compiled processes on private stores. The calls of a buyer go to the first API. */
export class TestStack {
  readonly baseUrl: string;
  readonly baseUrls: string[];
  readonly adminUrl: string | undefined;
  readonly adminToken: string;
  readonly authSecret: string;
  readonly stores: PrivateStores;
  readonly connections: Connections;
  readonly worker: Killable;
  readonly workers: Killable[];
  readonly apis: Killable[];
  readonly #stack: Stack;
  readonly #pooler: PgBouncer | undefined;
  readonly #shop: Storefront;

  constructor({ stores, pooler, connections, stack, secrets }: Parts) {
    const [worker, ...more] = stack.workers.map(killable);
    const [baseUrl] = stack.baseUrls;
    if (!worker || !baseUrl) throw new Error('a test stack has an API and a worker');
    this.baseUrl = baseUrl;
    this.baseUrls = stack.baseUrls;
    this.adminUrl = stack.adminUrl;
    this.adminToken = secrets.ADMIN_TOKEN;
    this.authSecret = secrets.AUTH_SECRET;
    this.stores = stores;
    this.connections = connections;
    this.worker = worker;
    this.workers = [worker, ...more];
    this.apis = stack.apis.map(killable);
    this.#stack = stack;
    this.#pooler = pooler;
    this.#shop = createStorefront(baseUrl, CONNECTIONS);
  }

  /** Opens a sale and returns its id. */
  async createSale({ opensInSeconds, ...wishes }: TestSale): Promise<string> {
    const opensAtMs = Date.now() + (opensInSeconds ?? 0) * SECOND_MS;
    return (await createOpenSale(this.connections, { opensAtMs, ...wishes })).id;
  }

  /** Puts the same amount into each wallet. */
  credit(buyerIds: string | string[], amountMinor: number): Promise<void> {
    return creditWallets(this.connections.db, [buyerIds].flat(), { amountMinor, currency: CURRENCY });
  }

  token(buyerId: string): string {
    return issueToken(this.authSecret, buyerId);
  }

  buy(buyerId: string, saleId: string): Promise<Answer> {
    return this.#shop.ask('buy', saleId, this.token(buyerId));
  }

  status(buyerId: string, saleId: string): Promise<Answer> {
    return this.#shop.ask('order-status', saleId, this.token(buyerId));
  }

  pay(buyerId: string, saleId: string): Promise<Answer> {
    return this.#shop.ask('pay', saleId, this.token(buyerId));
  }

  cancel(buyerId: string, saleId: string): Promise<Answer> {
    return this.#shop.ask('cancel', saleId, this.token(buyerId));
  }

  /** @throws when Postgres has no such sale */
  async audit(saleId: string): Promise<Audit> {
    const proof = await audit(this.connections.db, this.connections.redis, saleId);
    if (!proof) throw new Error(`there is no sale ${saleId}`);
    return proof;
  }

  /** Ends the processes and the stores. */
  async stop(): Promise<void> {
    await this.connections.close();
    await this.#stack.stop();
    await this.#pooler?.stop();
    await this.stores.stop();
  }
}

/** Starts private stores and the processes on them. `stop()` ends both. */
export async function startTestStack(options: TestStackOptions = {}): Promise<TestStack> {
  await build();
  const stores = await startPrivateStores();
  try {
    const { redisUrl, databaseUrl } = stores;
    const secrets = createSecrets();
    const urls = options.urls ? await options.urls(stores) : { redisUrl, databaseUrl };
    const pooler = await startPooler(stores, options.pooler ?? EVERYWHERE);
    const stack = await startStack({
      redisUrl: urls.redisUrl,
      databaseUrl: pooler?.through(urls.databaseUrl) ?? urls.databaseUrl,
      ...(options.log ? { log: options.log } : {}),
      secrets,
      ports: await freePorts(options.apis ?? 1),
      ...(options.admin ? { adminPort: await freePort() } : {}),
      workers: options.workers ?? 1,
      settings: { LOG_LEVEL: 'warn', GUEST_TOKENS: '1', ...options.env },
    });
    const connections = await connectStores(redisUrl, databaseUrl);
    return new TestStack({ stores, pooler, connections, stack, secrets });
  } catch (error) {
    await stores.stop();
    throw error;
  }
}

/** Starts PgBouncer in front of a database, which it migrates: no migration passes a pooler. */
async function startPooler(
  { folder, databaseUrl }: PrivateStores,
  mode: PoolMode | undefined,
): Promise<PgBouncer | undefined> {
  if (mode === undefined) return undefined;
  await migrate(databaseUrl);
  return startPgBouncer({ dir: join(folder, 'pgbouncer'), databaseUrl, mode });
}

function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, () => freePort()));
}
