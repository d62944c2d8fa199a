import { setTimeout } from 'node:timers/promises';
import { type JobsOptions, Queue } from 'bullmq';
import type { Redis } from '../redis/connection.js';
import type { Shards } from '../redis/shards.js';
import { JOB_NAMES, type JobData, type JobName } from './jobs.js';

/** Prefix of all keys of BullMQ on one server of Redis. */
export const QUEUE_PREFIX = '{dropline}';

/** Builds the prefix of BullMQ's keys. On a Redis Cluster each bucket of sales has queues of its own, in its slot. */
export function queuePrefixOf({ isOfCluster, tags }: Redis): string {
  return isOfCluster ? `${tags.join()}:queues` : QUEUE_PREFIX;
}

/** Names the bucket of a queue on a Redis Cluster, where several have the same name; '' on one server. */
export function bucketOfQueue({ opts: { prefix = '' } }: Queue): string {
  return prefix === QUEUE_PREFIX ? '' : `${prefix.slice(1, prefix.indexOf('}'))} `;
}

/** Pause before a queue whose first connection failed is opened again, in ms. */
const REOPEN_MS = 500;

/**
 * Options of every job. Jobs are hints, as the outbox and Postgres hold the same work, so a few retries are enough.
 * Finished jobs stay briefly for the operator, limited by age (in s) and count: they take memory from the claims.
 */
const JOB_OPTIONS: JobsOptions = {
  attempts: 8,
  backoff: { type: 'exponential', delay: 100, jitter: 0.5 },
  removeOnComplete: { age: 600, count: 100 },
  removeOnFail: { age: 86_400, count: 1_000 },
};

/** The queues of a server of Redis, by job name. */
export type ShardQueues = { [N in JobName]: Queue<JobData<N>> };

/** The queues of all servers of Redis. */
export interface Queues {
  readonly all: readonly ShardQueues[];
  /** Returns the queues for a sale, or for what else belongs to the bucket of an id. */
  of(id: string): ShardQueues;
}

/**
 * Creates every queue, for adding jobs only.
 *
 * @param redis the connections, each shared by all queues of its server; their owner closes them
 * @param onError receives lost connections
 */
export function createQueues(redis: Shards, onError: (error: Error) => void): Queues {
  const queues = new Map(redis.shards.map(shard => [shard, createShardQueues(shard, onError)]));
  return { all: [...queues.values()], of: id => queues.get(redis.of(id)) as ShardQueues };
}

function createShardQueues(connection: Redis, onError: (error: Error) => void): ShardQueues {
  const queues: Partial<Record<JobName, Queue>> = {};
  const open = (name: JobName) => {
    const queue = new Queue(name, {
      connection,
      prefix: queuePrefixOf(connection),
      defaultJobOptions: JOB_OPTIONS,
      streams: { events: { maxLen: 1_000 } },
    });
    queue.on('error', onError);
    queues[name] = queue;
    queue.waitUntilReady().catch(() => reopen(name, queue));
  };
  // BullMQ never recovers a Queue whose first connection failed. So the Queue is closed, and a new one is created.
  const reopen = async (name: JobName, failed: Queue) => {
    await failed.close().catch(onError);
    await setTimeout(REOPEN_MS);
    if (connection.status !== 'end') open(name);
  };
  JOB_NAMES.forEach(open);
  return queues as ShardQueues;
}

/** Closes the queues. Their shared connections stay open, and their owner closes them. */
export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.all(queuesOf(queues).map(queue => queue.close()));
}

/** Counts the queues that are paused: their jobs wait until somebody resumes them. */
export async function countPaused(queues: Queues): Promise<number> {
  const paused = await Promise.all(queuesOf(queues).map(queue => queue.isPaused()));
  return paused.filter(Boolean).length;
}

/** Lists the queues of all servers. */
export function queuesOf({ all }: Queues): Queue[] {
  return all.flatMap(queues => Object.values(queues) as Queue[]);
}
