import type { Receipt } from '#core/identity/receipt.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { claimRestored, enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePlaceOrders, enqueueSettleReceipt } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import type { Redis } from '#core/redis/connection.js';
import { isLive } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import type { Statuses } from '../batching/status-batch.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/** The parts that bring a lost claim back. */
export interface LostClaimParts {
  readonly redis: Redis;
  readonly queues: Queues;
  readonly statuses: Pick<Statuses, 'read'>;
}

/**
 * Whether Redis may have lost the claim of a receipt. A buyer has one live claim at a time. A known claim that is older
 * and has ended says nothing about a later one. A newer claim (claim ids grow with time) was won after the receipt's
 * claim had ended. To restore that one would be untrue.
 */
export function isLost(receipt: Receipt, { claim }: BuyerStatus): boolean {
  return !claim || (!isLive(claim.status) && claim.claimId < receipt.claimId);
}

/**
 * Restores a lost claim while its unit is free. Otherwise a job may still be about to place the claim, which only Postgres
 * knows. Then the worker decides, and the claim stays queued until it has.
 *
 * @param known what Redis knows of the buyer
 * @returns the status to answer with
 */
export async function bringBack(
  { redis, queues, statuses }: LostClaimParts,
  receipt: Receipt,
  known: BuyerStatus,
): Promise<BuyerStatus> {
  const { saleId, buyerId, claimId, unit } = receipt;
  const claim = { buyerId, claimId, unit, status: 'queued' as const };
  const outcome = await withDeadline(
    crashStep('receipt.restore', () => restoreClaim(redis, saleId, claim)),
    REDIS_STEP_MS,
    'restoring a claim',
  );
  await crashPoint('receipt.restored');
  if (outcome === 'restored') {
    claimRestored(saleId, claimId);
    enqueuePlaceOrders(queues, { saleId, claims: [claim] }).catch(error => enqueueFailed('place-orders', error));
    return { claim };
  }
  const now = outcome === 'unit_taken' ? known : await statuses.read(saleId, buyerId);
  // A buyer who lost a claim and is on standby again wants to know about standby.
  if (now.position !== undefined || (now.claim && (isLive(now.claim.status) || now.claim.claimId === claimId))) {
    return now;
  }
  await enqueueSettleReceipt(queues, { saleId, claimId, buyerId, unit });
  return { claim };
}
