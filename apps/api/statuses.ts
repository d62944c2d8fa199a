import { withDeadline } from '#core/clock.js';
import { Problem } from '#core/errors.js';
import type { Redis } from '#core/redis.js';
import { type BuyerStatus, readStatuses } from '#core/stock/status.js';
import { REDIS_STEP_MS, WAITING_MAX } from './deadline.js';
import { batchPerTurn } from './turn-batch.js';

/** The most buyers read in one round trip. */
const READ_BATCH_MAX = 256;

export interface Statuses {
  /**
   * @returns where the buyer stands in the sale, by Redis
   * @throws Problem too_many_requests; NotVerified, and what ioredis throws
   */
  read(saleId: string, buyerId: string): Promise<BuyerStatus>;
}

/**
 * Reads statuses, those asked for in one event-loop turn together.
 *
 * @param redis a connection
 * @returns the reader
 */
export function createStatuses(redis: Redis): Statuses {
  const ask = batchPerTurn(READ_BATCH_MAX, WAITING_MAX, (saleId, buyerIds) =>
    withDeadline(readStatuses(redis, saleId, buyerIds), REDIS_STEP_MS, 'reading statuses'),
  );
  return {
    async read(saleId, buyerId) {
      const status = ask(saleId, buyerId);
      if (!status) throw new Problem('too_many_requests', { retryAfterSeconds: 1 });
      return status;
    },
  };
}
