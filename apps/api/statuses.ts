import { parseClaimRecord } from '#core/claim.js';
import { withDeadline } from '#core/clock.js';
import { Problem } from '#core/errors.js';
import type { Redis } from '#core/redis.js';
import { type BuyerStatus, readStatuses } from '#core/stock/status.js';
import { REDIS_STEP_MS, WAITING_MAX } from './deadline.js';
import type { Mirrors } from './mirrors.js';
import { batchPerTurn } from './turn-batch.js';

/** The most buyers read in one round trip. */
const READ_BATCH_MAX = 256;

export interface Statuses {
  /**
   * @returns where the buyer stands in the sale
   * @throws Problem too_many_requests; NotVerified, and what ioredis throws
   */
  read(saleId: string, buyerId: string): Promise<BuyerStatus>;
}

/**
 * Reads statuses, those asked for in one event-loop turn together.
 *
 * @param redis a connection
 * @param mirrors asked first: whoever has a live claim in a sale that is sold out is known there
 * @returns the reader
 */
export function createStatuses(redis: Redis, mirrors: Mirrors): Statuses {
  const ask = batchPerTurn(READ_BATCH_MAX, WAITING_MAX, (saleId, buyerIds) =>
    withDeadline(readStatuses(redis, saleId, buyerIds), REDIS_STEP_MS, 'reading statuses'),
  );
  return {
    async read(saleId, buyerId) {
      const record = mirrors.recordOf(saleId, buyerId);
      if (record !== undefined) return { claim: parseClaimRecord(record) };
      const status = ask(saleId, buyerId);
      if (!status) throw new Problem('too_many_requests', { retryAfterSeconds: 1 });
      return status;
    },
  };
}
