import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { NewSale } from '#core/operator/create-sale.js';
import { migrate } from '#core/postgres/migrate/migrate.js';
import type { Shards } from '#core/redis/shards.js';
import { createOpenSale, type SaleWishes } from '#stack/crowd/open-sale.js';
import { freePort } from '#stack/processes/free-port.js';
import { type StackProcess, startProcess } from '#stack/processes/process.js';
import { createSecrets } from '#stack/secrets.js';
import { type Connections, connectInstallation } from '#stack/stores/connections.js';
import { type PrivateStores, startClusterStores } from '#stack/stores/private-stores.js';
import type { RedisCluster } from '#stack/stores/redis-cluster.js';
import { checkHistory } from '../../chaos/history/check-history.js';
import { bankReadsOf, History, operationsOf } from '../../chaos/history/history.js';
import { apiOn, workerOn } from '../../chaos/rig/cluster.js';
import { readOrderFacts } from '../../chaos/rig/facts.js';
import { auditRows, auditStores } from '../../chaos/rig/final-audit.js';
import { untilAllAtRest } from '../../chaos/rig/rest.js';
import { type Client, createClient } from '../../chaos/workload/client.js';
import { createQuery, type Query } from '../../chaos/workload/query.js';
import { Random } from '../../chaos/workload/random.js';
import { factsOf, PRICE_MINOR } from '../../chaos/workload/world.js';
import { build } from '../../support/build.js';

/** Starting nine servers and three processes takes seconds, and longer on a busy machine. */
const START_MS = 180_000;
const REST_MS = 120_000;
/** Twice the time within which a unit comes back, as a release may wait for a failover, in ms. */
const RELEASE_WITHIN_MS = 30_000;

/** Two APIs and a worker, whose Redis may change, and the buyers' calls with their history. */
export class Installation {
  readonly databaseUrl: string;
  readonly baseUrls: string[];
  readonly workerUrl: string;
  readonly client: Client;
  readonly query: Query;
  readonly #ports: { apis: number[]; worker: number };
  readonly #authSecret: string;
  readonly #history: History;
  readonly #folder: string;
  readonly #sales: NewSale[] = [];
  #apis: StackProcess[] = [];
  #worker: StackProcess | undefined;
  #connections: Connections<Shards> | undefined;

  private constructor(databaseUrl: string, folder: string, ports: { apis: number[]; worker: number }) {
    this.databaseUrl = databaseUrl;
    this.#folder = folder;
    this.#ports = ports;
    this.#authSecret = createSecrets().AUTH_SECRET;
    this.#history = new History(join(folder, 'history.jsonl'));
    this.query = createQuery(databaseUrl);
    this.baseUrls = ports.apis.map(port => `http://127.0.0.1:${port}`);
    this.workerUrl = `http://127.0.0.1:${ports.worker}`;
    const { baseUrls } = this;
    const random = new Random(1);
    this.client = createClient({ baseUrls, authSecret: this.#authSecret, history: this.#history, random });
  }

  /** Migrates a database, and starts the processes on it and on a Redis. */
  static async start(redisUrl: string, databaseUrl: string): Promise<Installation> {
    await build();
    await migrate(databaseUrl);
    const ports = { apis: [await freePort(), await freePort()], worker: await freePort() };
    const folder = await mkdtemp(join(tmpdir(), 'dropline-installation-'));
    const installation = new Installation(databaseUrl, folder, ports);
    try {
      await installation.connect(redisUrl);
      await installation.startProcesses(redisUrl);
    } catch (error) {
      await installation.stop();
      throw error;
    }
    return installation;
  }

  get connections(): Connections<Shards> {
    if (!this.#connections) throw new Error('the test has not connected');
    return this.#connections;
  }

  /** Lets the test itself use a Redis from now on. All of its nodes must serve. */
  async connect(redisUrl: string): Promise<void> {
    await this.#connections?.close();
    this.#connections = await connectInstallation(redisUrl, this.databaseUrl);
  }

  /** Starts the APIs and the worker on their ports. */
  async startProcesses(redisUrl: string): Promise<void> {
    const [REDIS_URL, DATABASE_URL, LOG_LEVEL] = [redisUrl, this.databaseUrl, 'silent'];
    const forApi = { AUTH_SECRET: this.#authSecret, REDIS_URL, LOG_LEVEL };
    const apis = Promise.all(this.#ports.apis.map(port => startProcess(apiOn(port, forApi))));
    const worker = startProcess(workerOn(this.#ports.worker, { REDIS_URL, DATABASE_URL, LOG_LEVEL }));
    [this.#apis, this.#worker] = await Promise.all([apis, worker]);
  }

  async stopApis(): Promise<void> {
    await Promise.all(this.#apis.map(api => api.stop()));
  }

  async stopWorker(): Promise<void> {
    await this.#worker?.stop();
  }

  /** Creates a sale that is open. */
  async open(wishes: SaleWishes): Promise<NewSale> {
    const sale = await createOpenSale(this.connections, {
      priceMinor: PRICE_MINOR,
      standbyFactor: 0,
      opensAtMs: Date.now() - 1_000,
      ...wishes,
    });
    this.#sales.push(sale);
    return sale;
  }

  /** Waits until everything is at rest, and expects that every promise was kept. */
  async expectAllKept({ redisLostData }: { redisLostData: boolean }): Promise<void> {
    const { query } = this;
    const { redis } = this.connections;
    const sales = factsOf(this.#sales);
    const inFlight: string[] = [];
    for (const sale of sales) {
      inFlight.push(...(await untilAllAtRest({ redis: redis.of(sale.id), query, sales: [sale], limitMs: REST_MS })));
    }
    const broken = checkHistory({
      sales,
      operations: operationsOf(this.#history.lines()),
      orders: await readOrderFacts(query),
      bank: bankReadsOf(this.#history.lines()),
      payments: [],
      redisLostData,
      releaseWithinMs: RELEASE_WITHIN_MS,
    });
    const stores = await Promise.all(sales.map(sale => auditStores(redis.of(sale.id), query, sale)));
    expect({ inFlight, broken, rows: await auditRows(query), stores: stores.flat() }).toEqual({
      inFlight: [],
      broken: [],
      rows: [],
      stores: [],
    });
  }

  /** Ends the processes and the connections. */
  async stop(): Promise<void> {
    await this.client.close();
    await this.stopApis();
    await this.stopWorker();
    await this.#connections?.close();
    await this.#history.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A cluster, and an installation on it. */
export interface Clustered {
  stores: PrivateStores<RedisCluster>;
  t: Installation;
}

/** Starts a cluster with an installation before the tests of the calling file. Both end after the tests. */
export function useInstallation(size: Parameters<typeof startClusterStores>[0]): Clustered {
  const started = {} as Clustered;
  beforeAll(async () => {
    started.stores = await startClusterStores(size);
    started.t = await Installation.start(started.stores.redisUrl, started.stores.databaseUrl);
  }, START_MS);
  afterAll(async () => {
    await started.t?.stop();
    await started.stores?.stop();
  }, REST_MS);
  return started;
}
