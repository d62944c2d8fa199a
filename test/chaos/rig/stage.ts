import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { NewSale } from '#core/operator/create-sale.js';
import { createOpenSale } from '#stack/crowd/open-sale.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import type { Fault } from '../../support/stores/fault-proxy.js';
import { checkHistory } from '../history/check-history.js';
import { bankReadsOf, History, operationsOf } from '../history/history.js';
import { type Client, createClient } from '../workload/client.js';
import { createQuery, type Query } from '../workload/query.js';
import { Random } from '../workload/random.js';
import { factsOf, PRICE_MINOR } from '../workload/world.js';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.js';
import { readOrderFacts } from './facts.js';
import { auditRows, auditStores } from './final-audit.js';
import { createLinks, type LinkName, type Links } from './links.js';
import type { ChaosNode } from './node.js';
import { untilAllAtRest } from './rest.js';

const START_MS = 180_000;
const REST_MS = 120_000;
/** Twice the time of invariant 8, because a test may break several parts one after the other. */
const RELEASE_WITHIN_MS = 30_000;

/** The ways in which a stage may differ from the usual one. */
export interface StageOptions extends Pick<ClusterOptions, 'environment'> {
  /** Whether all links lead through fault proxies. */
  breakable?: boolean;
  /** Makes the URL by which processes and test reach Redis of the URL of the private Redis, for example with Sentinels. */
  redisUrl?: (direct: string) => Promise<string>;
  /** Makes the URL by which workers or the test reach Postgres of the URL of the private Postgres. */
  databaseUrl?: (direct: string, from: 'worker' | 'test') => Promise<string>;
}

/** The parts of a stage that start before its tests. */
interface Parts {
  cluster: Cluster;
  connections: Connections;
  history: History;
  client: Client;
  query: Query;
}

/** Real processes and stores for the tests of one file, and the history of the calls of its buyers. */
export class Stage {
  readonly #options: StageOptions;
  readonly #links: Links = createLinks();
  readonly #sales: NewSale[] = [];
  readonly #endings: (() => Promise<unknown>)[] = [() => this.#links.close()];
  #parts: Parts | undefined;

  /** Describes a stage that {@link useStage} starts. */
  constructor(options: StageOptions) {
    this.#options = options;
  }

  get cluster(): Cluster {
    return this.#started.cluster;
  }

  get connections(): Connections {
    return this.#started.connections;
  }

  get client(): Client {
    return this.#started.client;
  }

  get query(): Query {
    return this.#started.query;
  }

  /** Starts the processes and stores. */
  async start(): Promise<void> {
    const { breakable = false, redisUrl, databaseUrl, ...others } = this.#options;
    const through = async (name: LinkName, url: string) => {
      if (redisUrl && name.endsWith('-redis')) return redisUrl(url);
      if (databaseUrl && name === 'worker-postgres') return databaseUrl(url, 'worker');
      return breakable ? this.#links.through(name, url) : url;
    };
    const folder = await mkdtemp(join(tmpdir(), 'dropline-stage-'));
    this.#endings.unshift(() => rm(folder, { recursive: true, force: true }));
    const cluster = await startCluster({
      ...others,
      link: (from, to, url) => through(`${from}-${to}` as LinkName, url),
    });
    this.#endings.unshift(() => cluster.stop());
    const ownUrl = databaseUrl ? await databaseUrl(cluster.databaseUrl, 'test') : cluster.databaseUrl;
    const connections = await connectStores(await through('test-redis', cluster.redisUrl), ownUrl);
    this.#endings.unshift(() => connections.close());
    const history = new History(join(folder, 'history.jsonl'));
    this.#endings.unshift(() => history.close());
    const baseUrls = await Promise.all(cluster.baseUrls.map(url => through('client-api', url)));
    const authSecret = cluster.secrets.AUTH_SECRET;
    const client = createClient({ baseUrls, authSecret, history, random: new Random(1) });
    this.#endings.unshift(() => client.close());
    this.#parts = { cluster, connections, history, client, query: createQuery(ownUrl) };
  }

  /** Ends what was started, also after a start that failed halfway. */
  async stop(): Promise<void> {
    for (const end of this.#endings) await end();
  }

  /** Returns the process or store with this name, such as `worker-1`. */
  node(name: string): ChaosNode {
    const found = this.cluster.nodes.find(node => node.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  }

  /** Creates a sale that is open. */
  async open(wishes: Partial<NewSale>): Promise<NewSale> {
    const defaults = { id: `drop-${this.#sales.length + 1}`, units: 10, priceMinor: PRICE_MINOR, standbyFactor: 0 };
    const sale = await createOpenSale(this.connections, { ...defaults, opensAtMs: Date.now() - 1_000, ...wishes });
    this.#sales.push(sale);
    return sale;
  }

  /** Breaks every connection of a link in the same way, or mends it. */
  setLink(link: LinkName, fault: Fault): void {
    for (const { name, proxy } of this.#links.all) if (name === link) proxy.set(fault);
  }

  /** Makes all links to Redis lead to another Redis from now on, as after a failover. */
  moveRedis(redisUrl: string): void {
    for (const { name, proxy } of this.#links.all) if (name.endsWith('-redis')) proxy.lead(redisUrl);
  }

  /** Lets new connections to Redis lead to another Redis. The open ones stay, as after a failover by role. */
  moveRedisByRole(redisUrl: string): void {
    for (const { name, proxy } of this.#links.all) if (name.endsWith('-redis')) proxy.moveTo(redisUrl);
  }

  /** Waits until everything is at rest, and expects that every promise was kept. */
  async expectAllKept({ redisLostData }: { redisLostData: boolean }): Promise<void> {
    const { connections, query, history } = this.#started;
    const { redis } = connections;
    const sales = factsOf(this.#sales);
    const inFlight = await untilAllAtRest({ redis, query, sales, limitMs: REST_MS });
    const broken = checkHistory({
      sales,
      operations: operationsOf(history.lines()),
      orders: await readOrderFacts(query),
      bank: bankReadsOf(history.lines()),
      payments: [],
      redisLostData,
      releaseWithinMs: RELEASE_WITHIN_MS,
    });
    const stores = await Promise.all(sales.map(sale => auditStores(redis, query, sale)));
    expect({ inFlight, broken, rows: await auditRows(query), stores: stores.flat() }).toEqual({
      inFlight: [],
      broken: [],
      rows: [],
      stores: [],
    });
  }

  get #started(): Parts {
    if (!this.#parts) throw new Error('the stage has not started: use it in tests only');
    return this.#parts;
  }
}

/** Starts a stage before the tests of the file that calls this function, and ends it after them. */
export function useStage(options: StageOptions = {}): Stage {
  const stage = new Stage(options);
  beforeAll(() => stage.start(), START_MS);
  afterAll(() => stage.stop(), START_MS);
  return stage;
}
