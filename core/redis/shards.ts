import ioredis, { type RedisOptions } from 'ioredis';
import { bucketTags } from './keys.js';

/**
 * The servers of Redis that hold the sales: one server, which is a connection itself, or the nodes of a Redis Cluster
 * (core/redis/cluster.ts). Sales share nothing, so whatever is done with one of them needs the connection of its bucket alone.
 */
export interface Shards {
  /** The connections: one for one server, one for each bucket of a cluster. */
  readonly shards: readonly Redis[];
  /** Whether they belong to a Redis Cluster. */
  readonly isOfCluster: boolean;
  /** Returns the connection to the server that has a sale, or what else belongs to the bucket of an id. */
  of(id: string): Redis;
  /** Closes all connections. */
  disconnect(): void;
}

/** Replies have the forms of Redis's second protocol. */
export type ClientOptions = RedisOptions & { replyMapping?: 'legacy' };

/** A bucket of a Redis Cluster: its hash tag, and the key that its scripts name besides their own. */
export interface Bucket {
  tag: string;
  guard: string;
}

/** A connection to one server of Redis. */
export class Redis extends ioredis.Redis implements Shards {
  readonly shards: readonly Redis[] = [this];
  readonly isOfCluster: boolean;
  /** The hash tags of the buckets whose sales the server has. */
  readonly tags: readonly string[];
  /** Keys that each script names besides its own (core/redis/keys.ts). */
  readonly guards: readonly string[];

  constructor(options: ClientOptions, bucket?: Bucket) {
    super(options);
    this.isOfCluster = bucket !== undefined;
    this.tags = bucket ? [bucket.tag] : bucketTags();
    this.guards = bucket ? [bucket.guard] : [];
  }

  of(): Redis {
    return this;
  }
}
