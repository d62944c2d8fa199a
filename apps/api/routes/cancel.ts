import { z } from 'zod';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueueCancelOrder } from '#core/queue/enqueue.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { ofSale, pollAfter, status } from '../answers/fields.js';
import { pollAfterMs } from '../answers/poll.js';
import type { ApiContext } from '../context.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
import { buyerEndpoint, type Reply } from '../http/endpoint.js';
import type { RecentSale } from '../mirror/sales.js';

const Cancelling = z.object({ status, pollAfterMs: pollAfter.optional() });

/** Gives up the buyer's order, or the place in the line; the outcome is found by asking for the order's status. */
export const cancel = buyerEndpoint(
  {
    method: 'post',
    path: '/cancel/:saleId',
    summary: "Cancel the buyer's order, or leave the line",
    params: ofSale,
    replies: { 202: { description: 'It is on its way, or done: ask for the status', body: Cancelling } },
    problems: ['unknown_sale', 'not_cancellable', 'too_many_requests'],
  },
  async (ctx, { saleId }, buyerId) => {
    const sale = await ctx.sales.find(saleId);
    const known = await ctx.statuses.read(saleId, buyerId);
    const inLine = known.position !== undefined && !(known.claim && isLive(known.claim.status));
    if (!inLine) return cancelClaim(ctx, sale, buyerId, known.claim);
    const left = await withDeadline(leaveStandby(ctx.redis, saleId, buyerId), REDIS_STEP_MS, 'leaving the line');
    if (left) return { status: 202, body: { status: 'none' } };
    // Promoted in this very moment: then it is a claim that is to be cancelled.
    return cancelClaim(ctx, sale, buyerId, (await ctx.statuses.read(saleId, buyerId)).claim);
  },
);

async function cancelClaim(ctx: ApiContext, sale: RecentSale, buyerId: string, claim?: ClaimRecord): Promise<Reply> {
  if (claim?.status === 'cancelled') return { status: 202, body: { status: 'cancelled' } };
  if (claim?.status !== 'queued' && claim?.status !== 'pending_payment') throw new Problem('not_cancellable');
  const { claimId, unit } = claim;
  await crashStep('cancel.queue', () => enqueueCancelOrder(ctx.queues, { saleId: sale.id, claimId, buyerId, unit }));
  await crashPoint('cancel.queued');
  const askAfterMs = pollAfterMs(claim.status, ctx.load.slowdown, sale.payWithinSeconds);
  return { status: 202, body: { status: claim.status, pollAfterMs: askAfterMs } };
}
