import { type Operators, readOperators } from '#core/identity/operators.js';
import { Sessions } from '#core/identity/session.js';
import { connectDatabase, type Database } from '#core/postgres/database.js';
import { type Config, readConfig } from '#core/process/config.js';
import { createLogger } from '#core/process/logger.js';
import { serveMetrics } from '#core/process/metrics.js';
import { reportTo } from '#core/process/reporting.js';
import { storeFailed } from '#core/process/telemetry.js';
import { closeQueues, createQueues } from '#core/queue/queues.js';
import { connectShards } from '#core/redis/cluster.js';
import { followLayout } from '#core/redis/layout.js';
import { defineScripts } from '#core/redis/scripts.js';
import { REDIS_SETTINGS } from '#core/redis/server/target.js';
import type { StepContext } from '#core/steps/context.js';
import type { GateParts } from './http/gate.js';
import { Revocations } from './http/revocations.js';
import { createTokenRefusal } from './http/wrong-tokens.js';

const ADMIN_SETTINGS = [
  ...REDIS_SETTINGS,
  'DATABASE_URL',
  'AUTH_SECRET',
  'ADMIN_TOKEN',
  'OPERATORS',
  'ADMIN_PORT',
  'ADMIN_HOST',
  'ADMIN_HOSTS',
  'HSTS',
  'BOARD_WRITE',
  'LOG_LEVEL',
  'METRICS_PORT',
  'METRICS_HOST',
] as const;

/** The admin's connections to Postgres: enough for a few operators, each with one page of sales on screen. */
const DATABASE_CONNECTIONS = 6;

/** The settings of the admin process, and its clients of Redis, Postgres and the queues. */
export interface AdminContext extends StepContext, GateParts {
  readonly config: Config<(typeof ADMIN_SETTINGS)[number]>;
  close(): Promise<void>;
}

/**
 * Reads the settings of the admin, and opens its log.
 *
 * @throws ConfigError for a wrong setting
 */
export function readSettings(): Pick<AdminContext, 'config' | 'log'> {
  const config = readConfig(ADMIN_SETTINGS);
  const log = createLogger('admin', config.LOG_LEVEL);
  reportTo(log);
  return { config, log };
}

/**
 * Creates the admin's clients of Redis, Postgres and the queues. Redis or Postgres may still be down; the console's pages
 * then say so.
 *
 * @throws ConfigError for a wrong setting
 */
export async function createContext({ config, log }: Pick<AdminContext, 'config' | 'log'>): Promise<AdminContext> {
  const operators = readOperators(config);
  const onRedisError = (error: Error) => storeFailed('redis', error);
  const redis = connectShards(config, 'steps', onRedisError);
  defineScripts(redis);
  followLayout(redis);
  const queues = createQueues(redis, onRedisError);
  const db = connectDatabase(config.DATABASE_URL, { connections: DATABASE_CONNECTIONS });
  const stopMetrics = await serveMetrics(config.METRICS_PORT, config.METRICS_HOST);
  const close = async () => {
    await closeQueues(queues);
    await db.$disconnect();
    await stopMetrics();
    redis.disconnect();
  };
  return { config, redis, queues, db, log, ...createGate(config, operators, db), close };
}

function createGate({ AUTH_SECRET }: { AUTH_SECRET: string }, operators: Operators, db: Database): GateParts {
  return {
    operators,
    sessions: new Sessions(AUTH_SECRET, operators),
    revocations: new Revocations(db),
    refuseToken: createTokenRefusal(),
  };
}
