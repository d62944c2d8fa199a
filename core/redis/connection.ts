import { Redis } from 'ioredis';
import { ConfigError } from '../process/config.js';
import { withDeadline } from '../rules/clock.js';
import { DeadlineExceeded, NotVerified } from '../rules/errors.js';

export type { Redis } from 'ioredis';

/**
 * How a connection behaves when Redis doesn't.
 *
 * - `api`: fails at once, nothing is queued or sent twice: the client is told 503 and tries again.
 * - `steps`: the worker's scripts and the command line: a call fails within 5 s, and is made again by whoever knows that it is safe.
 * - `worker`: waits for Redis to come back; BullMQ demands `maxRetriesPerRequest: null`, and its blocking reads
 *   last 5 s, so a socket that is silent for 15 s is dead, half open perhaps.
 * - `feed`: only listens to what is published. It subscribes again by itself (core/redis/feed/feed.ts), to know since when it hears.
 */
export type ConnectionProfile = 'api' | 'steps' | 'worker' | 'feed';

/** No call of the API waits longer than this for Redis, in ms. */
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
 * Opens a connection that reconnects for as long as it takes, within a second of Redis being back.
 *
 * @param url `redis://` or `rediss://`
 * @param profile how it behaves while Redis is away
 * @param onError told of each lost or failed connection
 * @returns the connection, not necessarily ready yet
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
 * Waits until a connection is ready for commands.
 *
 * @param redis a connection
 * @param limitMs how long, in ms
 * @throws DeadlineExceeded when Redis doesn't answer in time
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
 * Refuses a Redis that may throw claims away when memory is full.
 *
 * @param redis a connection
 * @throws ConfigError unless its policy is `noeviction`
 */
export async function refuseEviction(redis: Redis): Promise<void> {
  const policy = /maxmemory_policy:(\S+)/.exec(await redis.info('memory'))?.[1];
  if (policy !== 'noeviction') {
    throw new ConfigError(
      `REDIS_URL leads to a Redis with maxmemory-policy ${policy}: set it to noeviction, or it may lose claims`,
    );
  }
}

/** What ioredis says when a call failed because of the connection; only some of these errors have a class or a code. */
const LOST =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Socket timeout|Reached the max retries|connect E|Socket closed)/;

/** What a Redis says that is there, but can't serve for the moment: it loads, it is full, it is a replica, it is locked. */
const NOT_SERVING =
  /^(LOADING|OOM|MISCONF|READONLY|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|EXECABORT|NOAUTH|WRONGPASS|UNBLOCKED)\b/;

const SOCKET_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/;

/**
 * @param error what a step in Redis, or in a queue in it, was rejected with
 * @returns whether Redis is away, answers too late or isn't verified yet: trying again later helps
 */
export function isRedisPassing(error: unknown): boolean {
  return error instanceof NotVerified || error instanceof DeadlineExceeded || isRedisAway(error);
}

/** @returns whether Redis can't be reached or can't serve for the moment; otherwise it is a defect */
function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return LOST.test(error.message) || NOT_SERVING.test(error.message) || SOCKET_CODES.test(code ?? '');
}
