import { type JobsOptions, Queue } from 'bullmq';
import type { Redis } from '../redis/connection.js';
import type { Claim } from '../rules/claim.js';
import { pause, withDeadline } from '../rules/clock.js';
import { JOB_NAMES, type JobData, type JobName } from './jobs.js';

/** All of BullMQ's keys lie under one hash tag, as Redis Cluster demands. */
export const QUEUE_PREFIX = '{dropline}';

/** The answer to a buyer never waits longer than this for the queue, in ms. The outbox makes waiting needless. */
const ENQUEUE_TIMEOUT_MS = 300;

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
export function openQueues(connection: Redis, onError: (error: Error) => void): Queues {
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

/** @param queues from {@link openQueues}; their connection is left to its owner */
export async function closeQueues(queues: Queues): Promise<void> {
  await Promise.all(Object.values(queues).map(queue => queue.close()));
}

/**
 * Queues the placing of claims that were just won.
 *
 * @param queues the queues
 * @param saleId the sale
 * @param claims all winners of one batch: they travel as one job
 * @throws DeadlineExceeded, and what BullMQ throws: the claims are safe in the outbox either way
 */
export async function enqueuePlaceOrders(queues: Queues, saleId: string, claims: Claim[]): Promise<void> {
  await add(queues, 'place-orders', { saleId, claims });
}

/**
 * @param queues the queues
 * @returns whether jobs are waiting to place orders
 */
export async function areOrdersWaiting(queues: Queues): Promise<boolean> {
  return (await queues['place-orders'].getWaitingCount()) > 0;
}

/**
 * Queues the expiry of orders that were placed together.
 *
 * @param queues the queues
 * @param saleId the sale
 * @param claimIds the orders
 * @param delayMs time until their payment deadline, in ms
 */
export async function enqueueExpireOrders(
  queues: Queues,
  saleId: string,
  claimIds: string[],
  delayMs: number,
): Promise<void> {
  await add(queues, 'expire-orders', { saleId, claimIds }, { delay: Math.max(0, delayMs) });
}

/**
 * Queues the paying of an order. Clicking again while one waits adds nothing; while one runs it is done once more after it, as
 * the buyer may have been told already that it was refused, and has more money by now.
 *
 * @param queues the queues
 * @param order which order, and whose
 * @throws DeadlineExceeded, and what BullMQ throws: then the buyer should try again
 */
export async function enqueuePayOrder(queues: Queues, order: JobData<'pay-order'>): Promise<void> {
  await add(queues, 'pay-order', order, { deduplication: { id: order.claimId, keepLastIfActive: true } });
}

/**
 * Queues a cancellation by the buyer. Clicking again while one is under way adds nothing.
 *
 * @param queues the queues
 * @param order which order, and whose
 * @throws DeadlineExceeded, and what BullMQ throws: then the buyer should try again
 */
export async function enqueueCancelOrder(queues: Queues, order: JobData<'cancel-order'>): Promise<void> {
  await add(queues, 'cancel-order', order, { deduplication: { id: order.claimId } });
}

/**
 * Queues the decision about a claim that Redis has lost and can't give back. Asking again while one is under way adds nothing.
 *
 * @param queues the queues
 * @param claim the claim, as its buyer's receipt has it
 * @throws DeadlineExceeded, and what BullMQ throws: then the buyer should ask again
 */
export async function enqueueSettleReceipt(queues: Queues, claim: JobData<'settle-receipt'>): Promise<void> {
  await add(queues, 'settle-receipt', claim, { deduplication: { id: claim.claimId } });
}

/**
 * A provider that was told 200 never sends its event again, and the buyer's money hangs on it: it is tried for 3 to 7 h, as Postgres
 * may be away. (Asking the provider finds a payment as well, but not one that comes more than a day late.)
 */
const EVENT_ATTEMPTS = 19;

/** How long a provider may wait for Redis to take its event, in ms; it sends it again when it is told 503. */
const EVENT_TIMEOUT_MS = 1_500;

/**
 * Queues an event of a payment provider. It returns once Redis has it: before, nobody may tell the provider that it arrived.
 *
 * @param queues the queues
 * @param job whose event, and what it says
 * @throws DeadlineExceeded, and what BullMQ throws: then the provider is to send it again
 */
export async function enqueuePaymentEvent(queues: Queues, job: JobData<'payment-event'>): Promise<void> {
  await add(queues, 'payment-event', job, { attempts: EVENT_ATTEMPTS }, EVENT_TIMEOUT_MS);
}

async function add<N extends JobName>(
  queues: Queues,
  name: N,
  data: JobData<N>,
  options?: JobsOptions,
  limitMs = ENQUEUE_TIMEOUT_MS,
): Promise<void> {
  const queue = queues[name] as unknown as Queue;
  await withDeadline(queue.add(name, data, options), limitMs, `adding ${name}`);
}
