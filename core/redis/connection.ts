import { Redis } from 'ioredis';
import { ConfigError } from '../process/config.js';
import { withDeadline } from '../rules/clock.js';
import { DeadlineExceeded, NotVerified } from '../rules/errors.js';

/** A connection to Redis. */
export type { Redis } from 'ioredis';

/**
 * How a connection behaves while Redis does not serve.
 *
 * - `api`: fails at once. Nothing is queued or sent twice; the client gets 503 and retries.
 * - `steps`: for the scripts of worker and command line. A call fails within 5 s; idempotent callers retry.
 * - `worker`: waits for Redis. BullMQ demands `maxRetriesPerRequest: null`. Its blocking reads last 5 s, so a socket
 *   that is silent for 15 s is dead.
 * - `feed`: only listens. core/redis/feed/feed.ts subscribes again by itself, so that it knows since when it hears.
 */
export type ConnectionProfile = 'api' | 'steps' | 'worker' | 'feed';

/** Time limit for a Redis command of the API, in ms. */
const API_COMMAND_TIMEOUT_MS = 1_000;

const AT_ONCE = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  commandTimeout: API_COMMAND_TIMEOUT_MS,
  socketTimeout: 5_000,
} as const;

const PROFILES = {
  api: AT_ONCE,
  feed: { ...AT_ONCE, autoResubscribe: false },
  steps: { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: 5_000, socketTimeout: 15_000 },
  worker: { maxRetriesPerRequest: null, enableOfflineQueue: true, socketTimeout: 15_000 },
} as const;

/**
 * Connects to Redis, and reconnects without limit, within a second of its return.
 *
 * @param url `redis://` or `rediss://`
 * @param onError receives each lost or failed connection
 * @returns the connection, possibly not ready yet
 */
export function connectRedis(url: string, profile: ConnectionProfile, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    ...PROFILES[profile],
    connectTimeout: 1_000,
    keepAlive: 5_000,
    retryStrategy: times => Math.min(50 * times, 500) + Math.random() * 200,
  });
  redis.on('error', onError);
  return redis;
}

/**
 * Waits until a connection accepts commands.
 *
 * @param limitMs time limit, in ms
 * @throws DeadlineExceeded when Redis does not answer in time
 */
export async function waitUntilReady(redis: Redis, limitMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await withDeadline(
    new Promise<void>(resolve => redis.once('ready', () => resolve())),
    limitMs,
    'connecting to Redis',
  );
}

/**
 * Refuses a Redis that may evict claims when its memory is full.
 *
 * @throws ConfigError unless the policy is `noeviction`
 */
export async function refuseEviction(redis: Redis): Promise<void> {
  const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
  if (policy !== 'noeviction') {
    throw new ConfigError(
      `REDIS_URL leads to a Redis with maxmemory-policy ${policy}: set it to noeviction, or it may lose claims`,
    );
  }
}

/** ioredis's messages for calls that failed with the connection. Only some of these errors have a class or a code. */
const LOST =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Socket timeout|Reached the max retries|connect E|Socket closed)/;

/** Answers of a Redis that cannot serve at the moment: loading, full, a replica, or blocked. */
const NOT_SERVING =
  /^(LOADING|OOM|MISCONF|READONLY|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|EXECABORT|NOAUTH|WRONGPASS|UNBLOCKED)\b/;

const SOCKET_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/;

/**
 * Tells whether a later retry helps: Redis is away, too slow or not verified.
 *
 * @param error an error of a call to Redis, or of a queue in it
 */
export function isRedisPassing(error: unknown): boolean {
  return error instanceof NotVerified || error instanceof DeadlineExceeded || isRedisAway(error);
}

/** Tells whether Redis cannot be reached or cannot serve at the moment. Any other error is a defect. */
function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return LOST.test(error.message) || NOT_SERVING.test(error.message) || SOCKET_CODES.test(code ?? '');
}
