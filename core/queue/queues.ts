import { type JobsOptions, Queue } from 'bullmq';
import type { Redis } from '../redis/connection.js';
import { pause } from '../rules/clock.js';
import { JOB_NAMES, type JobData, type JobName } from './jobs.js';

/** All of BullMQ's keys lie under one hash tag, as Redis Cluster demands. */
export const QUEUE_PREFIX = '{dropline}';

/** How long a queue that could not be opened is left alone, in ms. */
const REOPEN_MS = 500;

/**
 * Jobs are hints: what they would do is also found in the outbox and in Postgres. So they are tried a few times,
 * and kept for a short while for the operator to look at, by age and by count, as they take memory from the claims.
 */
const JOB_OPTIONS: JobsOptions = {
  attempts: 8,
  backoff: { type: 'exponential', delay: 100, jitter: 0.5 },
  removeOnComplete: { age: 600, count: 100 },
  removeOnFail: { age: 86_400, count: 1_000 },
};

export type Queues = { [N in JobName]: Queue<JobData<N>> };

/**
 * Opens every queue for adding jobs.
 *
 * @param connection shared by all of them
 * @param onError told of lost connections
 * @returns the queues by their job's name
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
  // A queue whose first words with Redis fail, say because Redis goes away again just then, fails for ever after.
  const reopen = async (name: JobName, failed: Queue) => {
    await failed.close().catch(onError);
    await pause(REOPEN_MS);
    if (connection.status !== 'end') open(name);
  };
  JOB_NAMES.forEach(open);
  return queues as Queues;
}

/** @param queues from {@link createQueues}; their connection is left to its owner */
export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.all(Object.values(queues).map(queue => queue.close()));
}

/**
 * @param queues the queues
 * @returns whether jobs are waiting to place orders
 */
export async function areOrdersWaiting(queues: Queues): Promise<boolean> {
  return (await queues['place-orders'].getWaitingCount()) > 0;
}
