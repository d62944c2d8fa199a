import type { Receipt } from '#core/identity/receipt.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { claimRestored, enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePlaceWaiting, enqueueSettleReceipt } from '#core/queue/enqueue.js';
import type { Queues } from '#core/queue/queues.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import type { Shards } from '#core/redis/shards.js';
import { isLive } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import type { Statuses } from '../batching/status-batch.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/** The parts of the API that restore a claim which Redis has lost. */
export interface LostClaimParts {
  readonly redis: Shards;
  readonly queues: Queues;
  readonly statuses: Pick<Statuses, 'read'>;
}

/**
 * Returns whether Redis may have lost the claim of a receipt. A buyer has one live claim at a time, and claim ids grow
 * with time. In Redis, a live claim or one at least as new shows that the receipt's claim is known or over. An older
 * claim that has ended shows nothing about the receipt's claim.
 */
export function isLost(receipt: Receipt, { claim }: BuyerStatus): boolean {
  return !claim || (!isLive(claim.status) && claim.claimId < receipt.claimId);
}

/**
 * Restores in Redis the claim of a receipt, if its unit is free, and queues its order. Otherwise the claim may be
 * placed already, or a job may still place it. Only Postgres knows, so the job `settle-receipt` lets a worker decide.
 * The claim reads as queued until then.
 *
 * @param known the buyer's status as Redis has it, without the receipt's claim
 * @returns the status that the buyer gets
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
    enqueuePlaceWaiting(queues, { saleId }).catch(error => enqueueFailed('place-waiting', error));
    return { claim };
  }
  const now = outcome === 'unit_taken' ? known : await statuses.read(saleId, buyerId);
  // A buyer who is on standby again gets this position, not the lost claim. A claim that Redis turns out to know needs
  // no decision of a worker.
  if (now.position !== undefined || (now.claim && (isLive(now.claim.status) || now.claim.claimId === claimId))) {
    return now;
  }
  await enqueueSettleReceipt(queues, { saleId, claimId, buyerId, unit });
  return { claim };
}
