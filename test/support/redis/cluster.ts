import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { connectShards } from '#core/redis/cluster.js';
import { waitUntilReady } from '#core/redis/connection.js';
import { bucketOf } from '#core/redis/keys.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import { askNode, type ClusterNode, type RedisCluster, startRedisCluster } from '#stack/stores/redis-cluster.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { eventually } from '../eventually.js';
import { slotOf } from './slot-owner.js';

const READY_MS = 60_000;

/** The primaries of a cluster for tests. */
export const PRIMARIES = 3;

/** A Redis Cluster that belongs to one test file. */
export interface TestCluster {
  server: RedisCluster;
  redis: Shards;
  folder: string;
  /** Connects once more, as another process would. The connections end after the tests. */
  connect(): Promise<Shards>;
  /** Makes an id whose bucket is on the primary with this number, from 0. */
  idOn(primary: number): Promise<string>;
}

/**
 * Starts a private cluster before the tests of the calling file. It ends after the tests.
 *
 * @param primaries one is enough, and quicker, for what concerns a single node; it has a connection for each bucket as well
 */
export function useCluster(primaries = PRIMARIES): TestCluster {
  const c = {} as TestCluster;
  const opened: Shards[] = [];
  beforeAll(async () => {
    c.folder = await createTemporaryFolder();
    c.server = await startRedisCluster({ dir: c.folder, primaries, appendFsync: 'everysec' });
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

/** Does something while nobody has the slot of a sale or a buyer on a cluster of one primary, and waits until all buckets answer again. */
export async function whileAway<T>({ server, redis }: TestCluster, id: string, work: () => Promise<T>): Promise<T> {
  const [node] = server.nodes as [ClusterNode];
  const slot = slotOf(id);
  await askNode(node, client => client.cluster('DELSLOTS', slot));
  try {
    return await work();
  } finally {
    await askNode(node, client => client.cluster('ADDSLOTS', slot));
    await eventually(() => Promise.all(redis.shards.map(shard => shard.exists(...shard.guards))), READY_MS);
  }
}

/** Returns the keys of a buyer that keep the rules about purchases on a cluster. */
export const locksOf = (buyerId: string): { lock: string; pause: string } => ({
  lock: `${bucketOf(buyerId)}:@purchase:${buyerId}`,
  pause: `${bucketOf(buyerId)}:@interval:${buyerId}`,
});
