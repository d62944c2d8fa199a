import { setTimeout } from 'node:timers/promises';
import { type JobsOptions, Queue } from 'bullmq';
import type { Redis } from '../redis/connection.js';
import { JOB_NAMES, type JobData, type JobName } from './jobs.js';

/** Prefix of all keys of BullMQ. Its hash tag keeps the keys in one slot, as a Redis Cluster requires. */
export const QUEUE_PREFIX = '{dropline}';

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

/** The queues by job name. */
export type Queues = { [N in JobName]: Queue<JobData<N>> };

/**
 * Creates every queue, for adding jobs only.
 *
 * @param connection shared by all queues; its owner closes it
 * @param onError receives lost connections
 * @returns the queues by job name
 */
export function createQueues(connection: Redis, onError: (error: Error) => void): Queues {
  const queues: Partial<Record<JobName, Queue>> = {};
  const open = (name: JobName) => {
    const queue = new Queue(name, {
      connection,
      prefix: QUEUE_PREFIX,
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
  return queues as Queues;
}

/** Closes the queues. Their shared Redis connection stays open, and its owner closes it. */
export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.all(Object.values(queues).map(queue => queue.close()));
}

/** Counts the queues that are paused: their jobs wait until somebody resumes them. */
export async function countPaused(queues: Queues): Promise<number> {
  const paused = await Promise.all(Object.values(queues).map(queue => queue.isPaused()));
  return paused.filter(Boolean).length;
}
