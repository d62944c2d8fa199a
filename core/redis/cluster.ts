import keySlot from 'cluster-key-slot';
import { type ConnectionOptions, type ConnectionProfile, connectRedis, connectTo, type Redis } from './connection.js';
import { bucketNumberOf, bucketTags, guardKeyOf } from './keys.js';
import { ClusterNodes } from './server/cluster-nodes.js';
import type { Locator } from './server/connector.js';
import { type RedisSettings, type RedisTarget, targetOf } from './server/target.js';
import { ServerWatch } from './server/watch.js';
import type { Shards } from './shards.js';

/**
 * The connections to a Redis Cluster: one for each bucket, to the node that has its slot. Each is a connection to one Redis, as
 * it is without a cluster: it finds its node as it would find a primary by Sentinels, and leaves a node that is frozen, was demoted
 * or has given the slot away. No command is redirected, so nothing runs on a node that only gets a part of a sale.
 */
export class Cluster implements Shards {
  readonly isOfCluster = true;
  readonly shards: readonly Redis[];
  readonly #nodes: ClusterNodes;

  /** Connects to the node of each bucket. */
  constructor(target: RedisTarget, nodes: ClusterNodes, options: ConnectionOptions) {
    this.#nodes = nodes;
    this.shards = bucketTags().map(tag => {
      const watch = new ServerWatch(target, locatorOfSlot(nodes, keySlot(tag)));
      return connectTo(target, watch, { ...options, bucket: { tag, guard: guardKeyOf(tag) } });
    });
  }

  of(id: string): Redis {
    return this.shards[bucketNumberOf(id)] as Redis;
  }

  disconnect(): void {
    for (const redis of this.shards) redis.disconnect();
    this.#nodes.close();
  }
}

const locatorOfSlot = (nodes: ClusterNodes, slot: number): Locator => ({
  movedReason: 'the cluster names another node',
  locate: () => nodes.ownerOf(slot),
  // All buckets share the nodes.
  close: () => undefined,
});

/**
 * Connects to the Redis of an installation: one server, or the nodes of a Redis Cluster.
 *
 * @param settings the settings that lead to Redis, or only the address
 * @param onError receives each lost or failed connection; a ConfigError for a Redis that no retry makes fit
 * @returns the connections, possibly not ready yet
 * @throws ConfigError for settings of a wrong form, or that contradict each other
 */
export function connectShards(
  settings: RedisSettings | string,
  profile: ConnectionProfile,
  onError: (error: Error) => void,
): Shards {
  const target = targetOf(settings);
  if (target.at.kind !== 'cluster') return connectRedis(settings, profile, onError);
  return new Cluster(target, new ClusterNodes(target.at.nodes, target), { profile, onError });
}
