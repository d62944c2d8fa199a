import type { JobsOptions, Queue } from 'bullmq';
import { withDeadline } from '../rules/clock.js';
import type { JobData, JobName } from './jobs.js';
import type { Queues, ShardQueues } from './queues.js';

/**
 * Longest wait until a queue accepts a job, in ms, as buyers wait for the answer. More patience is needless, since the
 * outbox keeps their claims.
 */
const ENQUEUE_TIMEOUT_MS = 300;

/**
 * The pause before a failed job `place-waiting` runs again, in ms. It is longer than the failed one counts as placing the
 * claims of its sale (core/redis/claims/outbox.ts).
 */
const PLACE_AGAIN_MS = 2_500;

/**
 * For how long a job `place-waiting` that has not begun keeps others of its sale out of the queue, in ms. Its worker may
 * have been killed before it began.
 */
const PLACE_ALONE_MS = 2_000;

/**
 * Queues a job that makes the claims in a sale's outbox orders in Postgres. While such a job waits, another one is added
 * every {@link PLACE_ALONE_MS} at most.
 *
 * @throws DeadlineExceeded and the errors of BullMQ: the claims are safe in the outbox either way
 */
export async function enqueuePlaceWaiting(queues: Queues, job: JobData<'place-waiting'>): Promise<void> {
  await add(queues.of(job.saleId), 'place-waiting', job, {
    deduplication: { id: job.saleId, ttl: PLACE_ALONE_MS },
    backoff: { type: 'fixed', delay: PLACE_AGAIN_MS },
  });
}

/**
 * Lets the next {@link enqueuePlaceWaiting} of a sale add a job although one runs. That one may have read the outbox
 * already, or its worker may be killed, which BullMQ notices only when the lock of the job has expired.
 *
 * @throws DeadlineExceeded and the errors of BullMQ
 */
export async function beginPlaceWaiting(queues: Queues, { saleId }: JobData<'place-waiting'>): Promise<void> {
  const beginning = queues.of(saleId)['place-waiting'].removeDeduplicationKey(saleId);
  await withDeadline(beginning, ENQUEUE_TIMEOUT_MS, 'beginning place-waiting');
}

/**
 * Delay of the expiry job after the last payment deadline of its second, in ms. By Postgres's clock, a job that runs early finds no
 * overdue order and does nothing.
 */
const EXPIRE_MARGIN_MS = 50;

/**
 * Queues a delayed job that cancels the orders of all sales whose payment deadline has passed by then. There is one for each second: a
 * hundred thousand orders that are placed in a second have the same.
 *
 * @param saleId whose bucket has the job, as it is up when an order of the sale was placed
 * @param payByMs a payment deadline, in ms since the epoch
 * @throws DeadlineExceeded and the errors of BullMQ: the actor expire-overdue cancels the orders as well
 */
export async function enqueueExpireDue(queues: Queues, saleId: string, payByMs: number): Promise<void> {
  const dueAtMs = 1_000 * Math.ceil(payByMs / 1_000);
  const delay = Math.max(0, dueAtMs - Date.now() + EXPIRE_MARGIN_MS);
  await add(queues.of(saleId), 'expire-due', { dueAtMs }, { delay, jobId: `due-${dueAtMs}` });
}

/**
 * Queues a job that pays an order. A second click adds no second job while the first one waits. A click while the job
 * runs makes it run once more: the buyer may have added money after a refusal.
 *
 * @throws DeadlineExceeded and the errors of BullMQ: the buyer should retry
 */
export async function enqueuePayOrder(queues: Queues, order: JobData<'pay-order'>): Promise<void> {
  await add(queues.of(order.saleId), 'pay-order', order, {
    deduplication: { id: order.claimId, keepLastIfActive: true },
  });
}

/**
 * Queues a job that cancels an order for its buyer. A second click adds no second job.
 *
 * @throws DeadlineExceeded and the errors of BullMQ: the buyer should retry
 */
export async function enqueueCancelOrder(queues: Queues, order: JobData<'cancel-order'>): Promise<void> {
  await add(queues.of(order.saleId), 'cancel-order', order, { deduplication: { id: order.claimId } });
}

/**
 * Queues a job that decides about a claim that Redis has lost and cannot restore. A second request for the claim adds
 * no second job.
 *
 * @param claim the claim as its buyer's receipt states it
 * @throws DeadlineExceeded and the errors of BullMQ: the buyer should retry
 */
export async function enqueueSettleReceipt(queues: Queues, claim: JobData<'settle-receipt'>): Promise<void> {
  await add(queues.of(claim.saleId), 'settle-receipt', claim, { deduplication: { id: claim.claimId } });
}

/**
 * Attempts of a job with a provider's event: 3 to 7 h with back-off, as Postgres may be away. The provider got 200 for
 * the event and never repeats it. The actor ask-providers finds most payments too, but none that comes more than a day
 * late.
 */
const EVENT_ATTEMPTS = 19;

/**
 * Longest time that a payment provider waits until Redis accepts its event, in ms. After a 503 the provider sends the
 * event again.
 */
const EVENT_TIMEOUT_MS = 1_500;

/**
 * Queues a job with an event of a payment provider. Only after this call returns may the API answer 200.
 *
 * @throws DeadlineExceeded and the errors of BullMQ: the provider has to send the event again
 */
export async function enqueuePaymentEvent(queues: Queues, job: JobData<'payment-event'>): Promise<void> {
  await add(queues.of(job.event.eventId), 'payment-event', job, {
    attempts: EVENT_ATTEMPTS,
    limitMs: EVENT_TIMEOUT_MS,
  });
}

async function add<N extends JobName>(
  queues: ShardQueues,
  name: N,
  data: JobData<N>,
  { limitMs = ENQUEUE_TIMEOUT_MS, ...options }: JobsOptions & { limitMs?: number } = {},
): Promise<void> {
  const queue = queues[name] as unknown as Queue;
  await withDeadline(queue.add(name, data, options), limitMs, `adding ${name}`);
}
