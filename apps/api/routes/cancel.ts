import { z } from 'zod';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { enqueueCancelOrder } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { leaveStandby } from '#core/redis/claims/standby.js';
import type { Shards } from '#core/redis/shards.js';
import type { ClaimRecord } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { ofSale, pollAfter, status } from '../answers/fields.js';
import { isInLine } from '../answers/order-answer.js';
import { type Backpressure, pollAfterMs, pollTimesOf } from '../answers/poll.js';
import type { Statuses } from '../batching/status-batch.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
import { buyerEndpoint, type Reply } from '../http/endpoint.js';
import type { Admission } from '../load/load.js';
import type { RecentSale, Sales } from '../mirror/sales.js';

const Cancelling = z.object({ status, pollAfterMs: pollAfter.optional() });

interface CancelParts {
  readonly redis: Shards;
  readonly queues: Queues;
  readonly sales: Pick<Sales, 'find'>;
  readonly statuses: Pick<Statuses, 'read'>;
  readonly load: Backpressure & Admission;
}

/**
 * Queues the cancellation of the buyer's order, or removes the buyer from standby. The client polls the order's status
 * for the outcome.
 */
export const cancel = buyerEndpoint(
  {
    method: 'post',
    path: '/cancel/:saleId',
    summary: "Cancel the buyer's order, or leave standby",
    params: ofSale,
    limit: 'orders',
    replies: { 202: { description: 'It is on its way, or done: ask for the status', body: Cancelling } },
    problems: ['unknown_sale', 'not_cancellable', 'too_many_requests'],
  },
  async (parts: CancelParts, { saleId, buyerId }) => {
    const { redis, statuses, load } = parts;
    load.admit('pay');
    const sale = await parts.sales.find(saleId);
    const known = await statuses.read(saleId, buyerId);
    // A buyer with a live claim is in no line.
    if (!isInLine(known)) return cancelClaim(parts, { sale, buyerId, claim: known.claim });
    const left = await withDeadline(leaveStandby(redis, saleId, buyerId), REDIS_STEP_MS, 'leaving standby');
    if (left) return { status: 202, body: { status: 'none' } };
    // The buyer is not on standby any more: they were given a unit in between. So there is a claim to cancel.
    const { claim } = await statuses.read(saleId, buyerId);
    return cancelClaim(parts, { sale, buyerId, claim });
  },
);

interface Cancelled {
  sale: RecentSale;
  buyerId: string;
  claim: ClaimRecord | undefined;
}

async function cancelClaim(
  { queues, load }: Pick<CancelParts, 'queues' | 'load'>,
  { sale, buyerId, claim }: Cancelled,
): Promise<Reply> {
  if (claim?.status === 'cancelled') return { status: 202, body: { status: 'cancelled' } };
  if (claim?.status !== 'queued' && claim?.status !== 'pending_payment') throw new Problem('not_cancellable');
  const { claimId, unit, group } = claim;
  const order = { saleId: sale.id, claimId, buyerId, unit, ...(group && { group }) };
  await crashStep('cancel.queue', () => enqueueCancelOrder(queues, order));
  await crashPoint('cancel.queued');
  const askAfterMs = pollAfterMs(claim.status, load.slowdown, pollTimesOf(sale));
  return { status: 202, body: { status: claim.status, pollAfterMs: askAfterMs } };
}
