import { createWriteStream } from 'node:fs';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { freePort } from '#stack/processes/free-port.js';
import { type ProcessOptions, startProcess } from '#stack/processes/process.js';
import { createSecrets, type Secrets } from '#stack/secrets.js';
import { ChaosNode } from './node.js';
import type { RedisNodes } from './redis-nodes.js';
import { startClusterOfRedis, startOneRedis } from './stores.js';

/** Real processes on real stores. No supervisor starts them again: the nemesis that kills one revives it. */
export interface Cluster {
  redisUrl: string;
  databaseUrl: string;
  secrets: Secrets;
  baseUrls: string[];
  /** Where the workers serve their metrics and their readiness. */
  workerUrls: string[];
  nodes: ChaosNode[];
  /** The nodes of the Redis Cluster; undefined for one Redis. */
  redisNodes: RedisNodes | undefined;
  /** Removes the data of the one Redis while it is down; undefined for a Redis Cluster. */
  forgetRedis: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}

async function startNode(kind: 'api' | 'worker', name: string, options: ProcessOptions): Promise<ChaosNode> {
  const start = () => startProcess(options);
  return new ChaosNode(kind, name, { first: await start(), start });
}

/**
 * Describes how an API is started.
 *
 * @param port where the API listens, on 127.0.0.1
 * @param settings the rest of its environment
 */
export function apiOn(port: number, settings: Record<string, string>): ProcessOptions {
  const environment = { HOST: '127.0.0.1', PORT: `${port}`, ...settings };
  return { name: 'api', environment, ready: { url: `http://127.0.0.1:${port}/healthz` } };
}

/**
 * Describes how a worker is started.
 *
 * @param port where the worker serves its metrics
 * @param settings the rest of its environment
 */
export function workerOn(port: number, settings: Record<string, string>): ProcessOptions {
  const environment = { METRICS_PORT: `${port}`, ...settings };
  return { name: 'worker', environment, ready: { url: `http://127.0.0.1:${port}/metrics` } };
}

/** The ways in which a cluster may differ from the usual one. */
export interface ClusterOptions {
  /** Whether Redis is a Redis Cluster. */
  onRedisCluster?: boolean;
  /** The number of APIs; 2 if not given. */
  apis?: number;
  /** The number of workers; 2 if not given. */
  workers?: number;
  /** The file for the logs of the processes. Without it, the logs are dropped. */
  logFile?: string;
  /** Returns the URL at which a process finds a store, for example through a fault proxy. Without it, the store's own URL. */
  link?: (from: 'api' | 'worker', to: 'redis' | 'postgres', url: string) => Promise<string>;
  /** Returns further environment for one process, by its name such as `api-1`. */
  environment?: (name: string) => Record<string, string>;
}

/**
 * Starts private stores and processes of Dropline on them.
 *
 * @returns the cluster; it ends at the latest when this process does
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const stores = await (options.onRedisCluster ? startClusterOfRedis() : startOneRedis());
  const { redisUrl, databaseUrl, nodes, redisNodes, forgetRedis } = stores;
  const stop = async () => {
    await Promise.all(nodes.filter(({ kind }) => kind === 'api' || kind === 'worker').map(node => node.stop()));
    await Promise.all(nodes.map(node => node.stop()));
    await stores.stop();
  };
  try {
    await migrate(databaseUrl);
    const secrets = createSecrets();
    const baseUrls: string[] = [];
    const workerUrls: string[] = [];
    const log = options.logFile === undefined ? {} : { log: createWriteStream(options.logFile, { flags: 'a' }) };
    const link = options.link ?? (async (_from, _to, url) => url);
    for (let i = 1; i <= (options.apis ?? 2); i += 1) {
      const port = await freePort();
      const settings = {
        AUTH_SECRET: secrets.AUTH_SECRET,
        REDIS_URL: await link('api', 'redis', redisUrl),
        ...options.environment?.(`api-${i}`),
      };
      nodes.push(await startNode('api', `api-${i}`, { ...apiOn(port, settings), ...log }));
      baseUrls.push(`http://127.0.0.1:${port}`);
    }
    for (let i = 1; i <= (options.workers ?? 2); i += 1) {
      const port = await freePort();
      const settings = {
        REDIS_URL: await link('worker', 'redis', redisUrl),
        DATABASE_URL: await link('worker', 'postgres', databaseUrl),
        ...options.environment?.(`worker-${i}`),
      };
      nodes.push(await startNode('worker', `worker-${i}`, { ...workerOn(port, settings), ...log }));
      workerUrls.push(`http://127.0.0.1:${port}`);
    }
    return { redisUrl, databaseUrl, secrets, baseUrls, workerUrls, nodes, redisNodes, forgetRedis, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
