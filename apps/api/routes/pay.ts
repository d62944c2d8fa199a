import { z } from 'zod';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePayOrder } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { clickToPay } from '#core/redis/claims/pay-click.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { claimStatus, ofSale, pollAfter } from '../answers/fields.js';
import { type Backpressure, pollAfterMs, pollTimesOf } from '../answers/poll.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
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
  readonly redis: Shards;
  readonly queues: Queues;
  readonly sales: Pick<Sales, 'find'>;
  readonly load: Backpressure & Admission;
}

/**
 * Writes that the buyer asks to pay the order, and queues its payment. The time of this click counts. The client polls the
 * order's status for the outcome.
 */
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
  async ({ redis, queues, sales, load }: PayParts, { saleId, buyerId }) => {
    load.admit('pay');
    const sale = await sales.find(saleId);
    const clicked = () => withDeadline(clickToPay(redis, saleId, buyerId), REDIS_STEP_MS, 'a click to pay');
    const { claim, inTime } = await crashStep('pay.click', clicked);
    if (claim?.status === 'queued') {
      throw new Problem('not_payable', {
        detail: 'the order is not placed yet',
        retryAfterSeconds: QUEUED_RETRY_SECONDS,
      });
    }
    if (claim?.status === 'paid') return { status: 202, body: { status: 'paid' } };
    if (claim?.status !== 'pending_payment') throw new Problem('not_payable');
    if (!inTime) throw new Problem('not_payable', { detail: 'the time to pay is over' });
    const { claimId } = claim;
    try {
      await crashStep('pay.queue', () => enqueuePayOrder(queues, { saleId, claimId, buyerId }));
    } catch (error) {
      // The click is written, so a worker pays the order even if no job says so.
      enqueueFailed('pay-order', error);
    }
    await crashPoint('pay.queued');
    const askAfterMs = pollAfterMs(claim.status, load.slowdown, pollTimesOf(sale));
    return { status: 202, body: { status: claim.status, pollAfterMs: askAfterMs } };
  },
);
