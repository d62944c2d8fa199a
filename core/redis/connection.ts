import type ioredis from 'ioredis';
import { ConfigError } from '../process/config.js';
import { withDeadline } from '../rules/clock.js';
import { DeadlineExceeded, NotVerified } from '../rules/errors.js';
import { locatorOf } from './server/locator.js';
import { type RedisSettings, type RedisTarget, targetOf } from './server/target.js';
import { ServerWatch } from './server/watch.js';
import { type Bucket, type ClientOptions, Redis } from './shards.js';

/** A connection to one server of Redis. */
export type { Redis } from './shards.js';

/**
 * How a connection behaves while Redis does not serve.
 *
 * - `api`: a call fails at once. No command is queued or sent twice; the HTTP client gets 503 and retries.
 * - `steps`: for the Lua scripts that workers and the command line call. A call fails within 5 s, and its idempotent
 *   caller retries.
 * - `worker`: for BullMQ, which waits for Redis and demands `maxRetriesPerRequest: null`. Its blocking reads last 5 s,
 *   so a socket that is silent for 15 s is dead.
 * - `feed`: only listens to published changes of sales. core/redis/feed/feed.ts subscribes again by itself, so that it
 *   knows since when it receives messages.
 */
export type ConnectionProfile = 'api' | 'steps' | 'worker' | 'feed';

/** Time limit for one Redis command of an API process, in ms. */
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
 * A server that answers nothing for this long is left, in ms. For `steps` and `worker` it is the time limit of a command: a
 * long script of theirs may hold Redis nearly as long.
 */
const SILENT_MS: Record<ConnectionProfile, number> = { api: 2_000, feed: 2_000, steps: 5_000, worker: 5_000 };

/** How a connection behaves, and who hears of its errors. */
export interface ConnectionOptions {
  profile: ConnectionProfile;
  /** Receives each lost or failed connection; a ConfigError for a Redis that no retry makes fit. */
  onError(error: Error): void;
}

/**
 * Connects to the primary of one Redis, and reconnects without limit, within a second after it serves. A server that is a
 * replica, or has become one, is left (core/redis/server/watch.ts).
 *
 * @param settings the settings that lead to Redis, or only the address
 * @param onError receives each lost or failed connection; a ConfigError for a Redis that lacks the database
 * @returns the connection, possibly not ready yet
 * @throws ConfigError for settings of a wrong form, or that contradict each other, and for a Redis Cluster
 */
export function connectRedis(
  settings: RedisSettings | string,
  profile: ConnectionProfile,
  onError: (error: Error) => void,
): Redis {
  const target = targetOf(settings);
  return connectTo(target, new ServerWatch(target, locatorOf(target)), { profile, onError });
}

/** Opens a connection to a server that a watch finds, and on which it keeps it. */
export function connectTo(
  { username, password, db, tls }: RedisTarget,
  watch: ServerWatch,
  { profile, onError, bucket }: ConnectionOptions & { bucket?: Bucket },
): Redis {
  const options: ClientOptions = {
    ...PROFILES[profile],
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    db,
    Connector: watch.Connector,
    connectTimeout: 1_000,
    keepAlive: 5_000,
    maxLoadingRetryTime: 500,
    retryStrategy: times => Math.min(50 * times, 500) + Math.random() * 200,
    reconnectOnError(error) {
      watch.heard(error);
      return false;
    },
  };
  const redis = new Redis(options, bucket);
  redis.on('error', onError);
  watch.watch(redis, SILENT_MS[profile]);
  return redis;
}

/**
 * Waits until a connection accepts commands.
 *
 * @param limitMs time limit, in ms; none if not given
 * @throws ConfigError that the connection reports: no retry helps then. DeadlineExceeded when Redis does not answer in time
 */
export async function waitUntilReady(
  redis: Pick<ioredis.Redis, 'status' | 'on' | 'off'>,
  limitMs?: number,
): Promise<void> {
  if (redis.status === 'ready') return;
  const decided = new AbortController();
  const ready = new Promise<void>((resolve, reject) => {
    const serve = () => resolve();
    const refuse = (error: Error) => void (error instanceof ConfigError && reject(error));
    redis.on('ready', serve);
    redis.on('error', refuse);
    decided.signal.addEventListener('abort', () => redis.off('ready', serve).off('error', refuse));
  });
  await (limitMs === undefined ? ready : withDeadline(ready, limitMs, 'connecting to Redis')).finally(() =>
    decided.abort(),
  );
}

/**
 * ioredis's messages for calls that failed because the connection was lost. Only some of these errors have a class or a
 * code.
 */
const LOST =
  /^(Connection is closed|Stream isn't writeable|Command timed out|Socket timeout|Reached the max retries|connect E|Socket closed)/;

/** Error replies of a Redis that cannot serve at the moment: loading, full, a replica, blocked, or without the slot of the sale. */
const NOT_SERVING =
  /^(LOADING|OOM|MISCONF|READONLY|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|NOREPLICAS|EXECABORT|NOAUTH|WRONGPASS|UNBLOCKED)\b/;

/** Codes of a connection that broke or was never made. Node gives them to every socket, also to those of clients. */
const SOCKET_CODES = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/;

/**
 * Tells whether a later retry helps. Redis is away or too slow, or it has restarted and the sale was not yet compared
 * with Postgres.
 *
 * @param error an error of a call to Redis, or of a queue in Redis
 */
export function isRedisPassing(error: unknown): boolean {
  return error instanceof NotVerified || error instanceof DeadlineExceeded || isRedisAway(error);
}

/** Tells whether Redis cannot be reached or cannot serve at the moment. Any other error is a defect. */
function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return LOST.test(error.message) || NOT_SERVING.test(error.message) || isSocketError(error);
}

/**
 * Tells whether an operation on a socket failed. The error of such an operation names its system call. The error of a
 * request that its client broke off has the same codes, and names none.
 */
function isSocketError({ code, syscall }: NodeJS.ErrnoException): boolean {
  return syscall !== undefined && SOCKET_CODES.test(code ?? '');
}
