import { join } from 'node:path';
import { bucketOf } from '#core/redis/keys.js';
import { until } from '#stack/processes/until.js';
import { askNode, type ClusterNode, type RedisCluster, startRedisCluster } from '#stack/stores/redis-cluster.js';
import { createTemporaryFolder, removeTemporaryFolder } from '#stack/stores/temporary-folder.js';
import { moveSlot } from '../../support/redis/move-slot.js';
import { ownerOf, slotOf, untilWhole } from '../../support/redis/slot-owner.js';
import { type FailoverKind, type HappenedFailover, type Pair, startPair } from './failover.js';

/** Takes the slot of a sale from its node, and returns when another node serves it. */
type ClusterFailover = (cluster: RedisCluster, saleId: string) => Promise<HappenedFailover>;

/** A replica takes over after 3 s. After this time the failover has failed, in ms. */
const SERVED_WITHIN_MS = 60_000;

const CLUSTER_FAILOVERS: Partial<Record<FailoverKind, ClusterFailover>> = {
  'node-killed': async (cluster, saleId) => {
    const old = await ownerOf(cluster, slotOf(saleId));
    await old.kill();
    const servesAtMs = await untilServed(cluster, saleId, old);
    return { servesAtMs, heal: () => cluster.restartNode(old).then(() => untilWhole(cluster)) };
  },
  'node-frozen': async (cluster, saleId) => {
    const old = await ownerOf(cluster, slotOf(saleId));
    process.kill(old.pid, 'SIGSTOP');
    const servesAtMs = await untilServed(cluster, saleId, old);
    const heal = async () => {
      process.kill(old.pid, 'SIGCONT');
      await untilWhole(cluster);
    };
    return { servesAtMs, heal };
  },
  'slot-moved': async (cluster, saleId) => {
    const from = await ownerOf(cluster, slotOf(saleId));
    return moveTo(cluster, saleId, await anotherOwner(cluster, from));
  },
  'node-added': async (cluster, saleId) => moveTo(cluster, saleId, await cluster.addNode()),
};

/**
 * Starts the servers for a kind of failover: a pair, or three primaries and three replicas of a Redis Cluster.
 *
 * @param directUrl the Redis that becomes the primary of a pair
 * @param saleId the sale whose node of a cluster fails
 */
export async function startServers(kind: FailoverKind, directUrl: string, saleId: string): Promise<Pair> {
  const failOver = CLUSTER_FAILOVERS[kind];
  if (!failOver) return startPair(kind, directUrl);
  const folder = await createTemporaryFolder();
  const cluster = await startRedisCluster({ dir: join(folder, 'nodes'), primaries: 3, replicas: 1 });
  return {
    url: cluster.url,
    failOver: () => failOver(cluster, saleId),
    async stop() {
      await cluster.stop();
      await removeTemporaryFolder(folder);
    },
  };
}

async function moveTo(cluster: RedisCluster, saleId: string, to: ClusterNode): Promise<HappenedFailover> {
  const slot = slotOf(saleId);
  const servesAtMs = await moveSlot({ slot, from: await ownerOf(cluster, slot), to }, cluster.nodes);
  return { servesAtMs, heal: () => untilWhole(cluster) };
}

/** Returns a primary with slots, other than one. */
async function anotherOwner(cluster: RedisCluster, than: ClusterNode): Promise<ClusterNode> {
  for (let number = 0; ; number += 1) {
    const owner = await ownerOf(cluster, slotOf(`elsewhere-${number}`));
    if (owner !== than) return owner;
  }
}

/** Waits until another node has the slot of a sale and takes a write, and returns the time. */
async function untilServed(cluster: RedisCluster, saleId: string, old: ClusterNode): Promise<number> {
  const next = await ownerOf(cluster, slotOf(saleId), old);
  const write = () => askNode(next, client => client.set(`${bucketOf(saleId)}:written`, '1'));
  const isWritten = () => write().then(Boolean, () => false);
  if (!(await until(isWritten, SERVED_WITHIN_MS))) throw new Error('the new owner takes no write');
  return Date.now();
}
