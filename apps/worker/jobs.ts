import pLimit from 'p-limit';
import { jobDone, jobFailed, storeFailed } from '#core/process/telemetry.js';
import { JOB_NAMES, type JobData, type JobName } from '#core/queue/jobs.js';
import { startJobWorker } from '#core/queue/worker.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import type { StepContext } from '#core/steps/context.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { settleReceipt } from '#core/steps/settle-receipt.js';
import { CONCURRENCY, JOB_CONCURRENCY, type WorkerContext } from './context.js';

/** The function that does each kind of job. A job name without a function does not compile. */
const STEPS: { [N in JobName]: (ctx: StepContext, data: JobData<N>) => Promise<unknown> } = {
  'place-waiting': placeWaiting,
  'place-orders': placeOrders,
  'expire-due': ctx => expireOrders(ctx),
  'expire-orders': expireOrders,
  'pay-order': payOrder,
  'payment-event': takePaymentEvent,
  'cancel-order': cancelOrder,
  'settle-receipt': settleReceipt,
};

const OBSERVER = {
  onDone: jobDone,
  onFailed: jobFailed,
  onError: (error: Error) => storeFailed('redis', error),
};

/** Starts to take jobs from every queue. The caller must close the returned BullMQ workers. */
export function startJobs(ctx: WorkerContext): { close(): Promise<void> }[] {
  const start = <N extends JobName>(name: N) => {
    const limit = pLimit(CONCURRENCY[name] ?? JOB_CONCURRENCY);
    return ctx.jobConnection.shards.map(connection =>
      startJobWorker(name, data => STEPS[name](ctx, data), { connection, limit, observer: OBSERVER }),
    );
  };
  return JOB_NAMES.flatMap(name => start(name));
}
