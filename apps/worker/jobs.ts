import { jobDone, jobFailed, storeFailed } from '#core/events.js';
import { startJobWorker } from '#core/queue/worker.js';
import { JOB_CONCURRENCY, PLACE_CONCURRENCY, type WorkerContext } from './context.js';
import { cancelOrder } from './jobs/cancel-order.js';
import { expireOrders } from './jobs/expire-orders.js';
import { payOrder } from './jobs/pay-order.js';
import { paymentEvent } from './jobs/payment-event.js';
import { placeOrders } from './jobs/place-orders.js';
import { settleReceipt } from './jobs/settle-receipt.js';

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
  const connection = ctx.jobConnection;
  return [
    startJobWorker('place-orders', connection, PLACE_CONCURRENCY, placeOrders(ctx), EVENTS),
    startJobWorker('expire-orders', connection, JOB_CONCURRENCY, expireOrders(ctx), EVENTS),
    startJobWorker('pay-order', connection, JOB_CONCURRENCY, payOrder(ctx), EVENTS),
    startJobWorker('payment-event', connection, JOB_CONCURRENCY, paymentEvent(ctx), EVENTS),
    startJobWorker('cancel-order', connection, JOB_CONCURRENCY, cancelOrder(ctx), EVENTS),
    startJobWorker('settle-receipt', connection, JOB_CONCURRENCY, settleReceipt(ctx), EVENTS),
  ];
}
