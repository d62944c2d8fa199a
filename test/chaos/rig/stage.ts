import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from '@jest/globals';
import type { NewSale } from '#core/operator/create-sale.js';
import { openDrop } from '#stack/crowd/drop.js';
import { type Connections, connectStores } from '#stack/stores/connections.js';
import type { Fault } from '../../support/stores/fault-proxy.js';
import { checkHistory } from '../history/check-history.js';
import { auditRows, auditStores, readOrderFacts } from '../history/final-audit.js';
import { bankReadsOf, type History, openHistory, operationsOf } from '../history/history.js';
import { type LinkName, openLinks } from '../nemesis/links.js';
import { type Client, openClient } from '../workload/client.js';
import { Random } from '../workload/random.js';
import { factsOf, PRICE_MINOR, type Query } from '../workload/world.js';
import { type ChaosNode, type Cluster, type ClusterOptions, startCluster } from './cluster.js';
import { plainQuery } from './plain-query.js';
import { comeToRest } from './rest.js';

const START_MS = 60_000;
const REST_MS = 30_000;
const RELEASE_WITHIN_MS = 30_000;

/** Real processes and stores for the tests of one file, and everything that its buyers did. */
export interface Stage {
  cluster: Cluster;
  connections: Connections;
  history: History;
  client: Client;
  query: Query;
  /** @returns the process or store of this name, as `worker-1` */
  node(name: string): ChaosNode;
  open(wishes: Partial<NewSale>): Promise<NewSale>;
  /** Has everybody find another Redis from now on, by the links that are breakable. */
  moveRedis(redisUrl: string): void;
  /** Waits until everything is at rest, and expects that nothing was broken. */
  expectAllKept(redisLostData: boolean): Promise<void>;
}

/** Breaks every connection of one link in the same way. */
export type SetLink = (link: LinkName, fault: Fault) => void;

/** What a stage has otherwise than usual. */
export interface StageOptions extends Pick<ClusterOptions, 'environment'> {
  /** Whether there are fault proxies on all links. */
  breakable?: boolean;
}

/**
 * Starts it before the tests of the file that calls this, and ends it after.
 *
 * @param options what is otherwise than usual
 */
export function useStage(options: StageOptions = {}): Stage & { setLink: SetLink } {
  const { breakable = false, ...others } = options;
  const stage = {} as Stage & { setLink: SetLink };
  const links = openLinks();
  const by = async (name: LinkName, url: string) => (breakable ? links.by(name, url) : url);
  const sales: NewSale[] = [];
  const endings: (() => Promise<unknown>)[] = [() => links.close()];
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dropline-stage-'));
    endings.unshift(() => rm(folder, { recursive: true, force: true }));
    const cluster = await startCluster({
      ...others,
      link: (from, to, url) => by(`${from}-${to}` as LinkName, url),
    });
    endings.unshift(() => cluster.stop());
    const connections = await connectStores(await by('test-redis', cluster.redisUrl), cluster.databaseUrl);
    endings.unshift(() => connections.close());
    const history = openHistory(join(folder, 'history.jsonl'));
    endings.unshift(() => history.close());
    const baseUrls = await Promise.all(cluster.baseUrls.map(url => by('client-api', url)));
    const client = openClient(baseUrls, cluster.secrets.AUTH_SECRET, history, new Random(1));
    endings.unshift(() => client.close());
    Object.assign(stage, { cluster, connections, history, client, query: plainQuery(cluster.databaseUrl) });
  }, START_MS);
  afterAll(async () => {
    for (const end of endings) await end();
  }, START_MS);

  stage.setLink = (link, fault) => {
    for (const { name, proxy } of links.all) if (name === link) proxy.set(fault);
  };
  stage.node = name => {
    const found = stage.cluster.nodes.find(node => node.name === name);
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  stage.open = async wishes => {
    const defaults = { id: `drop-${sales.length + 1}`, units: 10, priceMinor: PRICE_MINOR, standbyFactor: 0 };
    const sale = await openDrop(stage.connections, { ...defaults, opensAtMs: Date.now() - 1_000, ...wishes });
    sales.push(sale);
    return sale;
  };
  stage.moveRedis = redisUrl => {
    for (const { name, proxy } of links.all) if (name.endsWith('-redis')) proxy.lead(redisUrl);
  };
  stage.expectAllKept = async redisLostData => {
    const { connections, query, history } = stage;
    const facts = factsOf(sales);
    const unsettled = await comeToRest(connections, query, facts, REST_MS);
    const broken = checkHistory({
      sales: facts,
      operations: operationsOf(history.lines()),
      orders: await readOrderFacts(query),
      bank: bankReadsOf(history.lines()),
      payments: [],
      redisLostData,
      releaseWithinMs: RELEASE_WITHIN_MS,
    });
    const stores = await Promise.all(facts.map(sale => auditStores(connections.redis, query, sale)));
    expect({ unsettled, broken, rows: await auditRows(query), stores: stores.flat() }).toEqual({
      unsettled: [],
      broken: [],
      rows: [],
      stores: [],
    });
  };
  return stage;
}
