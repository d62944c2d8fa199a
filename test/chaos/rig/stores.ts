import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '#stack/stores/postgres-server.js';
import { startPrivateStores } from '#stack/stores/private-stores.js';
import { startRedisCluster } from '#stack/stores/redis-cluster.js';
import { startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { ChaosNode } from './node.js';
import { RedisNodes } from './redis-nodes.js';

/** The stores of a run, as nodes that can be broken. */
export interface RunStores {
  redisUrl: string;
  databaseUrl: string;
  nodes: ChaosNode[];
  /** The nodes of a Redis Cluster; undefined for one Redis. */
  redisNodes: RedisNodes | undefined;
  /** Removes the data of the one Redis while it is down, so that it starts empty. */
  forgetRedis?: () => Promise<void>;
  stop(): Promise<void>;
}

/** Three primaries is the least with which a replica may take over. Each has one replica. */
const SIZE = { primaries: 3, replicas: 1 };

/** Starts one Redis and Postgres. */
export async function startOneRedis(): Promise<RunStores> {
  const { redisUrl, databaseUrl, redis, postgres, folder, stop } = await startPrivateStores();
  const start = () => startRedis({ dir: join(folder, 'redis'), port: redis.port });
  const nodes = [new ChaosNode('redis', 'redis', { first: redis, start }), postgresNode(postgres, folder)];
  const forgetRedis = () => rm(join(folder, 'redis'), { recursive: true, force: true });
  return { redisUrl, databaseUrl, nodes, redisNodes: undefined, forgetRedis, stop };
}

/** Starts a Redis Cluster of three primaries with a replica each, and Postgres. */
export async function startClusterOfRedis(): Promise<RunStores> {
  const folder = await createTemporaryFolder();
  const started: { stop(): Promise<unknown> }[] = [];
  const stop = async () => {
    await Promise.all(started.map(server => server.stop()));
    await removeTemporaryFolder(folder);
  };
  try {
    const postgres = await startPostgres({ dir: join(folder, 'postgres') });
    started.push(postgres);
    const redis = await startRedisCluster({ dir: folder, ...SIZE });
    started.push(redis);
    const nodes = [postgresNode(postgres, folder)];
    const redisNodes = new RedisNodes(redis, node => nodes.push(node));
    return { redisUrl: redis.url, databaseUrl: postgres.url, nodes, redisNodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function postgresNode(postgres: PostgresServer, folder: string): ChaosNode {
  const start = () => startPostgres({ dir: join(folder, 'postgres'), port: postgres.port });
  return new ChaosNode('postgres', 'postgres', { first: postgres, start });
}
