import { join, resolve } from 'node:path';
import { type PostgresServer, startPostgres } from './postgres-server.js';
import { type RedisCluster, startRedisCluster } from './redis-cluster.js';
import { type RedisServer, startRedis } from './redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from './temporary-folder.js';

/** Where private stores keep their data. */
export interface PrivateStoresOptions {
  /** A folder that keeps the data across restarts. Without it, the data is temporary. */
  dataDir?: string;
}

/** A Redis and a Postgres of our own, which end when this process does, however it ends. */
export interface PrivateStores<R = RedisServer> {
  redisUrl: string;
  databaseUrl: string;
  /** The folder of the data. */
  folder: string;
  redis: R;
  postgres: PostgresServer;
  /** Ends both stores, and removes temporary data. A second call joins the first. */
  stop(): Promise<void>;
}

/**
 * Starts both stores. No server and no temporary folder outlives this process, however it ends: by itself, by Ctrl-C, by an
 * uncaught exception or by SIGKILL. Call `stop` to wait for that.
 *
 * @returns both stores, ready
 * @throws when a store can't be started, with the remedy; then nothing is left running
 */
export function startPrivateStores({ dataDir }: PrivateStoresOptions = {}): Promise<PrivateStores> {
  return startBoth(dataDir, folder => startRedis({ dir: join(folder, 'redis') }));
}

/**
 * Starts a Redis Cluster and a Postgres as {@link startPrivateStores} does. Their data is temporary.
 *
 * @param size the number of primaries, and of the replicas of each
 */
export function startClusterStores(size: {
  primaries: number;
  replicas?: number;
}): Promise<PrivateStores<RedisCluster>> {
  return startBoth(undefined, folder => startRedisCluster({ dir: join(folder, 'redis'), ...size }));
}

async function startBoth<R extends { url: string; stop(): Promise<void> }>(
  dataDir: string | undefined,
  startRedisIn: (folder: string) => Promise<R>,
): Promise<PrivateStores<R>> {
  const folder = dataDir === undefined ? await createTemporaryFolder() : resolve(dataDir);
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(started.map(server => server.stop()));
    if (dataDir === undefined) await removeTemporaryFolder(folder);
  };
  try {
    // Postgres first: it locks the data folder, so that two stacks can't run on one.
    const postgres = await startPostgres({ dir: join(folder, 'postgres') });
    started.push(postgres);
    const redis = await startRedisIn(folder);
    started.push(redis);
    let stopped: Promise<void> | undefined;
    return {
      redisUrl: redis.url,
      databaseUrl: postgres.url,
      folder,
      redis,
      postgres,
      stop() {
        stopped ??= stop();
        return stopped;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
