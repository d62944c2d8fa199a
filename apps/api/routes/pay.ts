import { z } from 'zod';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueuePayOrder } from '#core/queue/enqueue.js';
import { Problem } from '#core/rules/errors.js';
import { claimStatus, ofSale, pollAfter } from '../answers/fields.js';
import { pollAfterMs } from '../answers/poll.js';
import { buyerEndpoint } from '../http/endpoint.js';

/** An order is placed within about a second of its claim. */
const QUEUED_RETRY_SECONDS = 1;

const Paying = z.object({ status: claimStatus, pollAfterMs: pollAfter.optional() });

/** Has the buyer's order paid; the outcome is found by asking for the order's status. */
export const pay = buyerEndpoint(
  {
    method: 'post',
    path: '/pay/:saleId',
    summary: "Pay the buyer's order",
    params: ofSale,
    replies: { 202: { description: 'The payment is on its way, or done: ask for the status', body: Paying } },
    problems: ['unknown_sale', 'not_payable', 'too_many_requests'],
  },
  async (ctx, { saleId }, buyerId) => {
    const { payWithinSeconds } = await ctx.sales.find(saleId);
    const { claim } = await ctx.statuses.read(saleId, buyerId);
    if (claim?.status === 'queued') {
      throw new Problem('not_payable', {
        detail: 'the order is not placed yet',
        retryAfterSeconds: QUEUED_RETRY_SECONDS,
      });
    }
    if (claim?.status === 'paid') return { status: 202, body: { status: 'paid' } };
    if (claim?.status !== 'pending_payment') throw new Problem('not_payable');
    const { claimId } = claim;
    await crashStep('pay.queue', () => enqueuePayOrder(ctx.queues, { saleId, claimId, buyerId }));
    await crashPoint('pay.queued');
    return {
      status: 202,
      body: { status: claim.status, pollAfterMs: pollAfterMs(claim.status, ctx.load.slowdown, payWithinSeconds) },
    };
  },
);
