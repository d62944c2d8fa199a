import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { migrate } from '#core/postgres/migrate/migrate.js';
import { freePort } from '#stack/processes/free-port.js';
import { type ProcessOptions, startProcess } from '#stack/processes/process.js';
import { newSecrets, type Secrets } from '#stack/secrets.js';
import { startPostgres } from '#stack/stores/postgres-server.js';
import { startPrivateStores } from '#stack/stores/private-stores.js';
import { startRedis } from '#stack/stores/redis-server.js';

/** Between two attempts to start a process while its store is away. */
const REVIVE_MS = 200;

export type NodeKind = 'api' | 'worker' | 'redis' | 'postgres';

/** A process that can be broken: one of ours, or a store. */
export interface ChaosNode {
  readonly name: string;
  readonly kind: NodeKind;
  /** Undefined while it is down. */
  pid(): number | undefined;
  /** kill -9; returns when it is gone. */
  kill(): Promise<void>;
  /** Starts it again as it was, and waits until it is ready; does nothing while it runs. */
  revive(): Promise<void>;
  /** Asks it to end, as a supervisor does. */
  stop(): Promise<void>;
}

/** Real processes on real stores, none of them supervised: whoever kills one starts it again. */
export interface Cluster {
  redisUrl: string;
  databaseUrl: string;
  secrets: Secrets;
  baseUrls: string[];
  nodes: ChaosNode[];
  stop(): Promise<void>;
}

interface Running {
  pid: number;
  kill(): Promise<unknown>;
  stop(): Promise<unknown>;
}

/** Starting may fail while a store is away: then it is tried again until the node is to be ended. */
function nodeOf(kind: NodeKind, name: string, first: Running, start: () => Promise<Running>): ChaosNode {
  let current: Running | undefined = first;
  let ended = false;
  let reviving: Promise<void> | undefined;
  const startAgain = async () => {
    while (!current && !ended) {
      current = await start().catch(() => undefined);
      if (!current) await pause(REVIVE_MS);
    }
  };
  const take = (): Running | undefined => {
    const running = current;
    current = undefined;
    return running;
  };
  return {
    name,
    kind,
    pid: () => current?.pid,
    kill: async () => void (await take()?.kill()),
    revive() {
      reviving ??= startAgain().finally(() => {
        reviving = undefined;
      });
      return reviving;
    },
    async stop() {
      ended = true;
      await reviving;
      await take()?.stop();
    },
  };
}

async function ownNode(kind: 'api' | 'worker', name: string, options: ProcessOptions): Promise<ChaosNode> {
  const start = async (): Promise<Running> => {
    const { pid, kill, stop } = await startProcess(options);
    return { pid, kill, stop };
  };
  return nodeOf(kind, name, await start(), start);
}

/** What a cluster may have otherwise than usual. */
export interface ClusterOptions {
  apis?: number;
  workers?: number;
  /** Where the processes write their logs; nowhere if not given. */
  logFile?: string;
  /** What each process finds its stores at; the stores themselves if not given. A fault proxy goes here. */
  link?: (from: 'api' | 'worker', to: 'redis' | 'postgres', url: string) => Promise<string>;
  /** Further environment of one process, by its name as `api-1`. */
  environment?: (name: string) => Record<string, string>;
}

/**
 * Starts private stores and processes of Dropline on them.
 *
 * @param options what is otherwise than usual
 * @returns the cluster; whatever ends this process ends it too
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const stores = await startPrivateStores();
  const nodes: ChaosNode[] = [];
  const stop = async () => {
    await Promise.all(nodes.filter(({ kind }) => kind === 'api' || kind === 'worker').map(node => node.stop()));
    await Promise.all(nodes.map(node => node.stop()));
    await stores.stop();
  };
  try {
    await migrate(stores.databaseUrl);
    const { redis, postgres, folder, redisUrl, databaseUrl } = stores;
    nodes.push(
      nodeOf('redis', 'redis', redis, () => startRedis({ dir: join(folder, 'redis'), port: redis.port })),
      nodeOf('postgres', 'postgres', postgres, () =>
        startPostgres({ dir: join(folder, 'postgres'), port: postgres.port }),
      ),
    );
    const secrets = newSecrets();
    const baseUrls: string[] = [];
    const log = options.logFile === undefined ? {} : { log: createWriteStream(options.logFile, { flags: 'a' }) };
    const link = options.link ?? (async (_from, _to, url) => url);
    for (let i = 1; i <= (options.apis ?? 2); i += 1) {
      const port = await freePort();
      const environment = {
        HOST: '127.0.0.1',
        PORT: `${port}`,
        AUTH_SECRET: secrets.AUTH_SECRET,
        REDIS_URL: await link('api', 'redis', redisUrl),
        ...options.environment?.(`api-${i}`),
      };
      const ready = { url: `http://127.0.0.1:${port}/healthz` };
      nodes.push(await ownNode('api', `api-${i}`, { name: 'api', environment, ready, ...log }));
      baseUrls.push(`http://127.0.0.1:${port}`);
    }
    for (let i = 1; i <= (options.workers ?? 2); i += 1) {
      const port = await freePort();
      const environment = {
        REDIS_URL: await link('worker', 'redis', redisUrl),
        DATABASE_URL: await link('worker', 'postgres', databaseUrl),
        METRICS_PORT: `${port}`,
        ...options.environment?.(`worker-${i}`),
      };
      const ready = { url: `http://127.0.0.1:${port}/metrics` };
      nodes.push(await ownNode('worker', `worker-${i}`, { name: 'worker', environment, ready, ...log }));
    }
    return { redisUrl, databaseUrl, secrets, baseUrls, nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
