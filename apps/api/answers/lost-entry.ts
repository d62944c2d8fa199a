import type { EntryReceipt } from '#core/identity/receipt.js';
import { crashPoint } from '#core/process/crash-point.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { restoreEntry } from '#core/redis/draw/entries.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import type { Statuses } from '../batching/status-batch.js';
import { REDIS_STEP_MS } from '../http/deadline.js';

/** The parts of the API that restore an entry which Redis has lost. */
export interface LostEntryParts {
  readonly redis: Shards;
  readonly statuses: Pick<Statuses, 'read'>;
}

/**
 * Restores in Redis the entry of a receipt, if Redis has lost it. A buyer who has left the line stays out of it.
 *
 * @param known the status of a buyer without a claim, who is in no line, or behind the entries
 * @returns the status that the buyer gets
 */
export async function bringEntryBack(
  { redis, statuses }: LostEntryParts,
  { saleId, buyerId, number }: EntryReceipt,
  known: BuyerStatus,
): Promise<BuyerStatus> {
  const wasLost = await withDeadline(
    restoreEntry(redis, saleId, { buyerId, number }),
    REDIS_STEP_MS,
    'restoring an entry',
  );
  await crashPoint('receipt.restored');
  return wasLost ? statuses.read(saleId, buyerId) : known;
}
