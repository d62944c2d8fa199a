import { connectDatabase } from '#core/postgres/database.js';
import { createLogger } from '#core/process/logger.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { connectShards } from '#core/redis/cluster.js';
import { connectRedis, type Redis, waitUntilReady } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS } from '#core/rules/clock.js';
import type { StepContext } from '#core/steps/context.js';

/** A command asks one thing at a time, and its progress line asks beside it. */
const DATABASE_CONNECTIONS = 3;
/** The stores may have been started a moment ago, on a busy machine. */
const READY_DEADLINE_MS = 60 * SECOND_MS;

/** Own connections to both stores and to the queues. */
export interface Connections<R extends Shards = Redis> extends StepContext {
  redis: R;
  close(): Promise<void>;
}

/**
 * Connects to one Redis and to Postgres.
 *
 * @param databaseConnections the size of the Postgres pool
 * @returns the connections, to be closed by the caller
 * @throws when Redis doesn't answer within 60 s
 */
export function connectStores(
  redisUrl: string,
  databaseUrl: string,
  databaseConnections?: number,
): Promise<Connections> {
  // The next call reports a lost connection.
  return connectBoth(
    connectRedis(redisUrl, 'steps', () => undefined),
    databaseUrl,
    databaseConnections,
  );
}

/** Connects to Redis, which may be a Redis Cluster, and to Postgres, as {@link connectStores} does. */
export function connectInstallation(redisUrl: string, databaseUrl: string): Promise<Connections<Shards>> {
  return connectBoth(
    connectShards(redisUrl, 'steps', () => undefined),
    databaseUrl,
  );
}

async function connectBoth<R extends Shards>(
  redis: R,
  databaseUrl: string,
  databaseConnections = DATABASE_CONNECTIONS,
): Promise<Connections<R>> {
  defineScripts(redis);
  try {
    await Promise.all(redis.shards.map(server => waitUntilReady(server, READY_DEADLINE_MS)));
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
