import { crashPoint } from '#core/process/crash-point.js';
import { type BuyerStatus, readStatuses } from '#core/redis/claims/status.js';
import type { Redis } from '#core/redis/connection.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { REDIS_STEP_MS, WAITING_MAX } from '../http/deadline.js';
import { type AskForBuyer, batchPerTurn } from './turn-batch.js';

/** The most buyers read in one round trip. */
const READ_BATCH_MAX = 256;

export interface Statuses {
  /**
   * @returns where the buyer stands in the sale
   * @throws Problem too_many_requests; NotVerified, and what ioredis throws
   */
  read(saleId: string, buyerId: string): Promise<BuyerStatus>;
  /** The same without a promise. */
  ask: AskForBuyer<BuyerStatus>;
}

/**
 * Reads statuses, those asked for in one event-loop turn together.
 *
 * @param redis a connection
 * @returns the reader
 */
export function createStatuses(redis: Redis): Statuses {
  const ask = batchPerTurn(READ_BATCH_MAX, WAITING_MAX, async (saleId, buyerIds) => {
    const statuses = await withDeadline(readStatuses(redis, saleId, buyerIds), REDIS_STEP_MS, 'reading statuses');
    await crashPoint('status.read');
    return statuses;
  });
  return {
    ask,
    read: (saleId, buyerId) =>
      new Promise((resolve, reject) => {
        const accepted = ask(saleId, buyerId, (status, error) => (status ? resolve(status) : reject(error)));
        if (!accepted) reject(new Problem('too_many_requests', { retryAfterSeconds: 1 }));
      }),
  };
}
