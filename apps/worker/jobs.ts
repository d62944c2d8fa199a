import { jobDone, jobFailed, storeFailed } from '#core/process/telemetry.js';
import { JOB_NAMES, type JobData, type JobName } from '#core/queue/jobs.js';
import { startJobWorker } from '#core/queue/worker.js';
import type { StepContext } from '#core/steps/context.js';
import { JOB_CONCURRENCY, PLACE_CONCURRENCY, type WorkerContext } from './context.js';
import { cancelOrder } from './jobs/cancel-order.js';
import { expireOrders } from './jobs/expire-orders.js';
import { payOrder } from './jobs/pay-order.js';
import { paymentEvent } from './jobs/payment-event.js';
import { placeOrders } from './jobs/place-orders.js';
import { settleReceipt } from './jobs/settle-receipt.js';

/** Who does what: a job without a step doesn't compile. */
const STEPS: { [N in JobName]: (ctx: StepContext) => (data: JobData<N>) => Promise<void> } = {
  'place-orders': placeOrders,
  'expire-orders': expireOrders,
  'pay-order': payOrder,
  'payment-event': paymentEvent,
  'cancel-order': cancelOrder,
  'settle-receipt': settleReceipt,
};

const EVENTS = {
  onDone: jobDone,
  onFailed: jobFailed,
  onError: (error: Error) => storeFailed('redis', error),
};

/**
 * Starts to take jobs of every name.
 *
 * @param ctx the worker's clients
 * @returns the workers, to be closed
 */
export function startJobs(ctx: WorkerContext): { close(): Promise<void> }[] {
  const start = <N extends JobName>(name: N) => {
    const concurrency = name === 'place-orders' ? PLACE_CONCURRENCY : JOB_CONCURRENCY;
    return startJobWorker(name, ctx.jobConnection, concurrency, STEPS[name](ctx), EVENTS);
  };
  return JOB_NAMES.map(name => start(name));
}
