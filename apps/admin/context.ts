import { createHmac } from 'node:crypto';
import { connectDatabase } from '#core/postgres/database.js';
import { type Config, readConfig } from '#core/process/config.js';
import { createLogger } from '#core/process/logger.js';
import { serveMetrics } from '#core/process/metrics.js';
import { reportTo, storeFailed } from '#core/process/telemetry.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { connectRedis } from '#core/redis/connection.js';
import { defineScripts } from '#core/redis/scripts.js';
import type { StepContext } from '#core/steps/context.js';

const ADMIN_SETTINGS = [
  'REDIS_URL',
  'DATABASE_URL',
  'AUTH_SECRET',
  'ADMIN_TOKEN',
  'ADMIN_PORT',
  'ADMIN_HOST',
  'BOARD_WRITE',
  'LOG_LEVEL',
  'METRICS_PORT',
  'METRICS_HOST',
] as const;

/** A few operators look at a page of sales each. */
const DATABASE_CONNECTIONS = 6;

export interface AdminContext extends StepContext {
  readonly config: Config<(typeof ADMIN_SETTINGS)[number]>;
  /** Signs the sessions: another key than the buyers' tokens have, and a changed ADMIN_TOKEN logs everybody out. */
  readonly sessionKey: string;
  close(): Promise<void>;
}

/**
 * Reads the settings and opens every client of the admin. The stores need not be there yet: the console says so.
 *
 * @returns what the pages work with
 * @throws ConfigError for a wrong setting
 */
export async function createContext(): Promise<AdminContext> {
  const config = readConfig(ADMIN_SETTINGS);
  const log = createLogger('admin', config.LOG_LEVEL);
  reportTo(log);
  const onRedisError = (error: Error) => storeFailed('redis', error);
  const redis = connectRedis(config.REDIS_URL, 'steps', onRedisError);
  defineScripts(redis);
  const queues = createQueues(redis, onRedisError);
  // What an operator does to an order is rare: it is always written down for the shop. The worker knows whether there is one.
  const db = connectDatabase(config.DATABASE_URL, { connections: DATABASE_CONNECTIONS, tellsShop: true });
  const sessionKey = createHmac('sha256', config.AUTH_SECRET).update(`session.${config.ADMIN_TOKEN}`).digest('hex');
  const stopMetrics = await serveMetrics(config.METRICS_PORT, config.METRICS_HOST);
  const close = async () => {
    await closeQueues(queues);
    await db.$disconnect();
    await stopMetrics();
    redis.disconnect();
  };
  return { config, redis, queues, db, log, sessionKey, close };
}
