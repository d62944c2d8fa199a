import { z } from 'zod';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueuePayOrder } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { Problem } from '#core/rules/errors.js';
import { claimStatus, ofSale, pollAfter } from '../answers/fields.js';
import { type Backpressure, pollAfterMs } from '../answers/poll.js';
import type { Statuses } from '../batching/status-batch.js';
import { buyerEndpoint } from '../http/endpoint.js';
import type { Admission } from '../load/load.js';
import type { Sales } from '../mirror/sales.js';

/**
 * Seconds for `Retry-After` while the order to be paid is not placed yet. An order is placed within about a second of
 * its claim.
 */
const QUEUED_RETRY_SECONDS = 1;

const Paying = z.object({ status: claimStatus, pollAfterMs: pollAfter.optional() });

interface PayParts {
  readonly queues: Queues;
  readonly sales: Pick<Sales, 'find'>;
  readonly statuses: Pick<Statuses, 'read'>;
  readonly load: Backpressure & Admission;
}

/** Queues the payment of the buyer's order. The client polls the order's status for the outcome. */
export const pay = buyerEndpoint(
  {
    method: 'post',
    path: '/pay/:saleId',
    summary: "Pay the buyer's order",
    params: ofSale,
    limit: 'orders',
    replies: { 202: { description: 'The payment is on its way, or done: ask for the status', body: Paying } },
    problems: ['unknown_sale', 'not_payable', 'too_many_requests'],
  },
  async ({ queues, sales, statuses, load }: PayParts, { saleId, buyerId }) => {
    load.admit('pay');
    const { payWithinSeconds } = await sales.find(saleId);
    const { claim } = await statuses.read(saleId, buyerId);
    if (claim?.status === 'queued') {
      throw new Problem('not_payable', {
        detail: 'the order is not placed yet',
        retryAfterSeconds: QUEUED_RETRY_SECONDS,
      });
    }
    if (claim?.status === 'paid') return { status: 202, body: { status: 'paid' } };
    if (claim?.status !== 'pending_payment') throw new Problem('not_payable');
    const { claimId } = claim;
    await crashStep('pay.queue', () => enqueuePayOrder(queues, { saleId, claimId, buyerId }));
    await crashPoint('pay.queued');
    const askAfterMs = pollAfterMs(claim.status, load.slowdown, payWithinSeconds);
    return { status: 202, body: { status: claim.status, pollAfterMs: askAfterMs } };
  },
);
