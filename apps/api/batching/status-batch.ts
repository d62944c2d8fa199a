import { crashPoint } from '#core/process/crash-point.js';
import { type BuyerStatus, readStatuses } from '#core/redis/claims/status.js';
import type { Redis } from '#core/redis/connection.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { REDIS_STEP_MS, WAITING_MAX } from '../http/deadline.js';
import { TurnBatch } from './turn-batch.js';

/** The most buyers that are read in one round trip. */
const READ_BATCH_MAX = 256;

/** Reads the statuses of buyers. All statuses that are asked for in one turn of the event loop are read together. */
export class Statuses extends TurnBatch<BuyerStatus> {
  constructor(redis: Redis) {
    super({ sizeMax: READ_BATCH_MAX, waitingMax: WAITING_MAX }, async (saleId, buyerIds) => {
      const statuses = await withDeadline(readStatuses(redis, saleId, buyerIds), REDIS_STEP_MS, 'reading statuses');
      await crashPoint('status.read');
      return statuses;
    });
  }

  /**
   * Returns the status of a buyer. Like {@link ask}, with a promise.
   *
   * @throws Problem `too_many_requests`; NotVerified, and what ioredis throws
   */
  read(saleId: string, buyerId: string): Promise<BuyerStatus> {
    return new Promise((resolve, reject) => {
      const accepted = this.ask(saleId, buyerId, (status, error) => (status ? resolve(status) : reject(error)));
      if (!accepted) reject(new Problem('too_many_requests', { retryAfterSeconds: 1 }));
    });
  }
}
