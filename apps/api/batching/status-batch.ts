import { crashPoint } from '#core/process/crash-point.js';
import { type BuyerStatus, readStatuses } from '#core/redis/claims/status.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { REDIS_STEP_MS, WAITING_MAX } from '../http/deadline.js';
import { TurnBatch } from './turn-batch.js';

/** The most buyers whose statuses are read from Redis in one round trip. */
const READ_BATCH_MAX = 256;

/** Reads the statuses of buyers from Redis. All statuses requested in one turn of the event loop are read together. */
export class Statuses extends TurnBatch<BuyerStatus> {
  constructor(redis: Shards) {
    super({ sizeMax: READ_BATCH_MAX, waitingMax: WAITING_MAX }, async (saleId, buyerIds) => {
      const statuses = await withDeadline(readStatuses(redis, saleId, buyerIds), REDIS_STEP_MS, 'reading statuses');
      await crashPoint('status.read');
      return statuses;
    });
  }

  /**
   * Returns the status of a buyer. Does the same as {@link ask}, with a promise instead of a callback.
   *
   * @throws Problem `too_many_requests`; NotVerified while Redis can't be trusted about the sale; what ioredis throws
   */
  read(saleId: string, buyerId: string): Promise<BuyerStatus> {
    return new Promise((resolve, reject) => {
      const accepted = this.ask(saleId, buyerId, (status, error) => (status ? resolve(status) : reject(error)));
      if (!accepted) reject(new Problem('too_many_requests', { retryAfterSeconds: 1 }));
    });
  }
}
