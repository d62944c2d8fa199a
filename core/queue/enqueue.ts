import type { JobsOptions, Queue } from 'bullmq';
import { withDeadline } from '../rules/clock.js';
import type { JobData, JobName } from './jobs.js';
import type { Queues } from './queues.js';

/** The answer to a buyer never waits longer than this for the queue, in ms. The outbox makes waiting needless. */
const ENQUEUE_TIMEOUT_MS = 300;

/**
 * Queues the placing of claims that were just won.
 *
 * @param queues the queues
 * @param job the sale, and all winners of one batch
 * @throws DeadlineExceeded, and what BullMQ throws: the claims are safe in the outbox either way
 */
export async function enqueuePlaceOrders(queues: Queues, job: JobData<'place-orders'>): Promise<void> {
  await add(queues, 'place-orders', job);
}

/**
 * Queues the expiry of orders that were placed together.
 *
 * @param queues the queues
 * @param job the orders, and their sale
 * @param delayMs time until their payment deadline, in ms
 */
export async function enqueueExpireOrders(
  queues: Queues,
  job: JobData<'expire-orders'>,
  delayMs: number,
): Promise<void> {
  await add(queues, 'expire-orders', job, { delay: Math.max(0, delayMs) });
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
  await add(queues, 'payment-event', job, { attempts: EVENT_ATTEMPTS, limitMs: EVENT_TIMEOUT_MS });
}

async function add<N extends JobName>(
  queues: Queues,
  name: N,
  data: JobData<N>,
  { limitMs = ENQUEUE_TIMEOUT_MS, ...options }: JobsOptions & { limitMs?: number } = {},
): Promise<void> {
  const queue = queues[name] as unknown as Queue;
  await withDeadline(queue.add(name, data, options), limitMs, `adding ${name}`);
}
