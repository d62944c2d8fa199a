import { Redis } from 'ioredis';
import { until } from '#stack/processes/until.js';
import { type RedisServer, startRedis } from '#stack/stores/redis-server.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';

const SYNCED_MS = 30_000;

/** A server of Redis, and a connection to it without any care. Those of the product leave a replica. */
export interface Member {
  url: string;
  port: number;
  redis: Redis;
  server: RedisServer;
  dir: string;
  stop(): Promise<void>;
}

/**
 * Starts a replica of a Redis, and waits until it has the data.
 *
 * @param primaryUrl the Redis to copy
 * @param link the port by which the replica reaches the Redis, if it is another one
 */
export async function startReplica(primaryUrl: string, link = Number(new URL(primaryUrl).port)): Promise<Member> {
  const primary = new Redis(primaryUrl);
  await primary.config('SET', 'repl-diskless-sync-delay', '0');
  primary.disconnect();
  const dir = await createTemporaryFolder();
  const server = await startRedis({ dir, settings: ['--repl-diskless-sync-delay', '0'] });
  const redis = new Redis(server.url);
  await redis.replicaof('127.0.0.1', link);
  await untilSynced(redis);
  const stop = async () => {
    redis.disconnect();
    await server.stop();
    await removeTemporaryFolder(dir);
  };
  return { url: server.url, port: server.port, redis, server, dir, stop };
}

/** Waits until a replica has the data of its primary. */
async function untilSynced(redis: Redis): Promise<void> {
  if (!(await until(() => isSynced(redis), SYNCED_MS))) throw new Error('the replica does not get the data');
}

/** Tells whether a server is a replica that has the data of its primary. */
export async function isSynced(redis: Redis): Promise<boolean> {
  return (await redis.info('replication')).includes('master_link_status:up');
}
