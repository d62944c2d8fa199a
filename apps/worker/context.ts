import { createSignedWebhook } from '#core/payments/signed-webhook.js';
import { ActorLock } from '#core/postgres/actor-lock.js';
import { connectDatabase } from '#core/postgres/database.js';
import { wantNotices } from '#core/postgres/deliveries/shop-webhook.js';
import { countAwaitingValue } from '#core/postgres/draws/draws.js';
import { waitForFitDatabase } from '#core/postgres/fitness.js';
import { allOrNone, type Config, ConfigError, readConfig } from '#core/process/config.js';
import { createLogger, type Logger } from '#core/process/logger.js';
import { scrapedGauge, serveMetrics } from '#core/process/metrics.js';
import { reportTo } from '#core/process/reporting.js';
import { redisFullnessScraped, storeFailed } from '#core/process/telemetry.js';
import { JOB_NAMES, type JobName } from '#core/queue/jobs.js';
import { closeQueues, countPaused, createQueues } from '#core/queue/queues.js';
import { outboxAgeMs } from '#core/redis/claims/outbox.js';
import { payClicksAgeMs } from '#core/redis/claims/pay-click.js';
import { connectShards } from '#core/redis/cluster.js';
import type { Redis } from '#core/redis/connection.js';
import { followLayout } from '#core/redis/layout.js';
import { defineScripts } from '#core/redis/scripts.js';
import { waitForFitRedis } from '#core/redis/server/fitness.js';
import { Fullness } from '#core/redis/server/memory.js';
import { REDIS_SETTINGS } from '#core/redis/server/target.js';
import type { Shards } from '#core/redis/shards.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import type { Providers, ShopEndpoint, StepContext } from '#core/steps/context.js';
import { EXPIRE_BATCHES } from '#core/steps/expire-orders.js';
import { PLACE_BATCHES } from '#core/steps/place-waiting.js';
import { reasonsAgainst } from './readiness.js';

/** The most jobs of each name that a worker runs at once, if {@link CONCURRENCY} has no other number. */
export const JOB_CONCURRENCY = 4;

/**
 * The most jobs of some names that a worker runs at once. `place-waiting`: each of another sale. `expire-due`: a second one would find
 * the orders of the first.
 */
export const CONCURRENCY: Partial<Record<JobName, number>> = { 'place-waiting': 4, 'expire-due': 1 };

/** The jobs of earlier versions share the connections of those that took over. */
const EARLIER_JOBS: readonly JobName[] = ['place-orders', 'expire-orders'];

/** The batches that one job works at at the same time, each on a connection; one if not listed. */
const BATCHES: Partial<Record<JobName, number>> = { 'place-waiting': PLACE_BATCHES, 'expire-due': EXPIRE_BATCHES };

/** The connections that the maintenance actors (a worker's recurring tasks) and their leases need besides. */
const ACTOR_CONNECTIONS = 9 + EXPIRE_BATCHES;

/** A worker's connections to Postgres: one for each job and batch that may run at once, and those of the actors. */
const DATABASE_CONNECTIONS = JOB_NAMES.filter(name => !EARLIER_JOBS.includes(name)).reduce(
  (sum, name) => sum + (CONCURRENCY[name] ?? JOB_CONCURRENCY) * (BATCHES[name] ?? 1),
  ACTOR_CONNECTIONS,
);

/** The time-out for reading a metric from Redis, in ms. */
const SCRAPE_MS = SECOND_MS;

const WORKER_SETTINGS = [
  ...REDIS_SETTINGS,
  'DATABASE_URL',
  'LOG_LEVEL',
  'METRICS_PORT',
  'METRICS_HOST',
  'PAYMENT_PROVIDER_URL',
  'PAYMENT_PROVIDER_KEY',
  'PAYMENT_WEBHOOK_SECRETS',
  'DRAW_BEACON_URL',
  'SHOP_WEBHOOK_URL',
  'SHOP_WEBHOOK_SECRET',
] as const;

type WorkerConfig = Config<(typeof WORKER_SETTINGS)[number]>;

/**
 * The clients of Redis, Postgres, the queues and the payment providers that the worker's jobs and recurring tasks use.
 */
export interface WorkerContext extends StepContext {
  /** Redis connections for BullMQ's workers. They duplicate them, and wait for jobs on the duplicates. */
  jobConnection: Shards;
  lock: ActorLock;
  close(): Promise<void>;
}

/**
 * Reads the worker's settings, and opens its log.
 *
 * @throws ConfigError for a wrong setting
 */
export function readSettings(): { config: WorkerConfig; log: Logger } {
  const config = readConfig(WORKER_SETTINGS);
  const log = createLogger('worker', config.LOG_LEVEL);
  reportTo(log);
  return { config, log };
}

/**
 * Connects the worker's clients of Redis, Postgres and the queues, and waits until both stores can be worked with.
 *
 * @throws ConfigError for settings that do not go together, for a Redis that evicts keys, and for a Postgres that will
 *   never do
 */
export async function createContext(config: WorkerConfig, log: Logger): Promise<WorkerContext> {
  const [providers, shop] = [providersOf(config), shopOf(config)];
  const beacon = config.DRAW_BEACON_URL === undefined ? undefined : { url: config.DRAW_BEACON_URL };
  const onRedisError = (error: Error) => storeFailed('redis', error);
  const redis = connectShards(config, 'steps', onRedisError);
  const jobConnection = connectShards(config, 'worker', onRedisError);
  defineScripts(redis);
  followLayout(redis);
  const db = connectDatabase(config.DATABASE_URL, { connections: DATABASE_CONNECTIONS });
  scrapedGauge('outbox_oldest_seconds', 'Age of the oldest claim that has no order yet', async () => {
    return (await oldestMs(redis, outboxAgeMs)) / SECOND_MS;
  });
  scrapedGauge('pay_clicks_oldest_seconds', 'Age of the oldest click to pay that nobody has dealt with', async () => {
    return (await oldestMs(redis, payClicksAgeMs)) / SECOND_MS;
  });
  scrapedGauge('draws_waiting', 'Draws that have opened and wait for their public value', () =>
    withDeadline(countAwaitingValue(db), SCRAPE_MS, 'a scrape'),
  );
  const fullness = redis.shards.map(server => new Fullness(server));
  // Once a second, like each API: a worker that measures only when it is probed could miss that clicks are refused.
  const measure = () => fullness.forEach(one => void one.measure().catch(() => undefined));
  const measuring = setInterval(measure, SECOND_MS);
  redisFullnessScraped(async () => Math.max(...fullness.map(({ ratio }) => ratio)));
  // /metrics and /readyz are served first. The next step waits for Redis, and /readyz tells meanwhile why the worker is
  // not ready.
  const stopMetrics = await serveMetrics(config.METRICS_PORT, config.METRICS_HOST, () =>
    reasonsAgainst({ redis, db, fullness }),
  );
  await waitForFitRedis(redis);
  // BullMQ prints warnings of its own about a Redis that evicts keys.
  const queues = createQueues(redis, onRedisError);
  scrapedGauge('queues_paused', 'Queues that are paused', () =>
    withDeadline(countPaused(queues), SCRAPE_MS, 'a scrape'),
  );
  await waitForFitDatabase(db, error => storeFailed('postgres', error));
  // No order is placed before this row: the shop would not hear of it.
  if (shop) await wantNotices(db);
  const lock = new ActorLock(db);
  const close = async () => {
    clearInterval(measuring);
    await closeQueues(queues);
    await db.$disconnect();
    await stopMetrics();
    redis.disconnect();
    jobConnection.disconnect();
  };
  return { redis, jobConnection, db, queues, lock, log, providers, beacon, shop, close };
}

/**
 * Reads the greatest age of something on the servers that answer.
 *
 * @throws the error of a server when none answers
 */
async function oldestMs(redis: Shards, readMs: (server: Redis) => Promise<number>): Promise<number> {
  const reading = redis.shards.map(server => withDeadline(readMs(server), SCRAPE_MS, 'a scrape'));
  const answers = await Promise.allSettled(reading);
  const ages = answers.flatMap(answer => (answer.status === 'fulfilled' ? [answer.value] : []));
  return ages.length > 0 ? Math.max(...ages) : Promise.race(reading);
}

function providersOf(config: WorkerConfig): Providers {
  const given = allOrNone(config, ['PAYMENT_PROVIDER_URL', 'PAYMENT_PROVIDER_KEY']);
  if (!given) return {};
  const { PAYMENT_PROVIDER_URL: url, PAYMENT_PROVIDER_KEY: key } = given;
  const secrets = config.PAYMENT_WEBHOOK_SECRETS;
  if (!secrets) throw new ConfigError('PAYMENT_PROVIDER_URL needs PAYMENT_WEBHOOK_SECRETS beside it');
  return { 'signed-webhook': createSignedWebhook({ url, key }, secrets) };
}

function shopOf(config: WorkerConfig): ShopEndpoint | undefined {
  const given = allOrNone(config, ['SHOP_WEBHOOK_URL', 'SHOP_WEBHOOK_SECRET']);
  return given && { url: given.SHOP_WEBHOOK_URL, secret: given.SHOP_WEBHOOK_SECRET };
}
