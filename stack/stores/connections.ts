import { connectDatabase } from '#core/postgres/database.js';
import { createLogger } from '#core/process/logger.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { connectRedis, waitUntilReady } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';

/** A command asks one thing at a time, and its progress line asks beside it. */
const DATABASE_CONNECTIONS = 3;
/** The stores may have been started a moment ago, on a busy machine. */
const READY_DEADLINE_MS = 60 * SECOND_MS;

/** Own connections to both stores and to the queues. */
export interface Connections extends StepContext {
  close(): Promise<void>;
}

/**
 * Connects to both stores.
 *
 * @param databaseConnections the size of the Postgres pool
 * @returns the connections, to be closed by the caller
 * @throws when Redis doesn't answer within 60 s
 */
export async function connectStores(
  redisUrl: string,
  databaseUrl: string,
  databaseConnections = DATABASE_CONNECTIONS,
): Promise<Connections> {
  // The next call reports a lost connection.
  const redis = connectRedis(redisUrl, 'steps', () => undefined);
  defineScripts(redis);
  try {
    await waitUntilReady(redis, READY_DEADLINE_MS);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  const db = connectDatabase(databaseUrl, { connections: databaseConnections, waitMs: READY_DEADLINE_MS });
  const queues = createQueues(redis, () => undefined);
  return {
    db,
    redis,
    queues,
    log: createLogger('stack', 'silent'),
    async close() {
      await closeQueues(queues);
      redis.disconnect();
      await db.$disconnect();
    },
  };
}
