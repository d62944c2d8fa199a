import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { connectShards } from '#core/redis/cluster.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { bucketOf } from '#core/redis/keys.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import { type RedisCluster, startRedisCluster } from '#stack/stores/redis-cluster.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';

const READY_MS = 60_000;

/** The primaries of a cluster for tests. */
export const PRIMARIES = 3;

/** A Redis Cluster of three primaries that belongs to one test file. */
export interface TestCluster {
  server: RedisCluster;
  redis: Shards;
  folder: string;
  /** Connects once more, as another process would. The connections end after the tests. */
  connect(): Promise<Shards>;
  /** Makes an id whose bucket is on the primary with this number, from 0. */
  idOn(primary: number): Promise<string>;
}

/** Starts a private cluster before the tests of the calling file. It ends after the tests. */
export function useCluster(): TestCluster {
  const c = {} as TestCluster;
  const opened: Shards[] = [];
  beforeAll(async () => {
    c.folder = await createTemporaryFolder();
    c.server = await startRedisCluster({ dir: c.folder, primaries: PRIMARIES, appendFsync: 'everysec' });
    c.connect = async () => {
      const redis = connectShards(c.server.url, 'steps', () => undefined);
      opened.push(redis);
      defineScripts(redis);
      await Promise.all(redis.shards.map(shard => waitUntilReady(shard, READY_MS)));
      return redis;
    };
    c.redis = await c.connect();
    c.idOn = async primary => {
      for (;;) {
        const id = `on-${primary}-${randomUUID().slice(0, 8)}`;
        if ((await c.redis.of(id).cluster('MYID')) === c.server.nodes[primary]?.id) return id;
      }
    };
  });
  afterAll(async () => {
    for (const redis of opened) redis.disconnect();
    await c.server?.stop();
    if (c.folder) await removeTemporaryFolder(c.folder);
  });
  return c;
}

/** Returns the keys of a buyer that keep the rules about purchases on a cluster. */
export const locksOf = (buyerId: string): { lock: string; pause: string } => ({
  lock: `${bucketOf(buyerId)}:@purchase:${buyerId}`,
  pause: `${bucketOf(buyerId)}:@interval:${buyerId}`,
});
