import type { Logger } from '../logger.js';
import type { Database } from '../orders/database.js';
import type { Queues } from '../queue/queue.js';
import type { Redis } from '../redis.js';

/** What a step works with: both stores, the queues, and where it reports. */
export interface StepContext {
  redis: Redis;
  db: Database;
  queues: Queues;
  log: Logger;
}
