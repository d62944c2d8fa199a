import type { EventVerifier } from '#core/payments/provider.js';
import { createSignedWebhookVerifier } from '#core/payments/signed-webhook.js';
import type { Config } from '#core/process/config.js';
import { storeFailed } from '#core/process/telemetry.js';
import { createQueues, type Queues } from '#core/queue/queues.js';
import { connectShards } from '#core/redis/cluster.js';
import { Feeds } from '#core/redis/feed/feeds.js';
import { followLayout } from '#core/redis/layout.js';
import { defineScripts } from '#core/redis/scripts.js';
import { REDIS_SETTINGS, type RedisSettings } from '#core/redis/server/target.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import type { ProviderName } from '#core/rules/sale.js';
import { createLookUp, type LookUp } from './answers/look-up.js';
import { type ClaimBatch, createClaimBatch } from './batching/claim-batch.js';
import { Statuses } from './batching/status-batch.js';
import { createRefuseAtTurnEnd, type RefuseAtTurnEnd } from './batching/turn-refusals.js';
import { Winners } from './batching/winners.js';
import { createIdentity, IDENTITY_SETTINGS, type Identity } from './identity.js';
import { BuyerLimits } from './limits/buyer-limits.js';
import { FIGURES } from './limits/figures.js';
import { QuickClicks } from './limits/quick-clicks.js';
import { Load } from './load/load.js';
import { Mirrors } from './mirror/mirrors.js';
import { Publications } from './mirror/publications.js';
import { Sales } from './mirror/sales.js';
import { PassGate } from './passes/pass-gate.js';
import { Waiters } from './waiting/waiters.js';

/** The settings that an API process reads. None is for a database, as the API has no database client. */
export const API_SETTINGS = [
  ...REDIS_SETTINGS,
  ...IDENTITY_SETTINGS,
  'LOG_LEVEL',
  'PORT',
  'HOST',
  'METRICS_PORT',
  'METRICS_HOST',
  'GUEST_TOKENS',
  'PAYMENT_WEBHOOK_SECRETS',
  'HSTS',
] as const;

/** The checked settings of an API process. */
export type ApiConfig = Config<(typeof API_SETTINGS)[number]>;

/** The Redis connections of an API process, and the clients that use them. */
interface Clients {
  readonly redis: Shards;
  /** The connections of the queues, apart from `redis` so that a claim never waits behind a job being queued. */
  readonly queueRedis: Shards;
  readonly queues: Queues;
  /** Reports changes of sales, which Redis publishes, over connections of its own. */
  readonly feed: Feeds;
}

/**
 * All clients, caches and settings of an API process. Only files directly in apps/api use the whole. Files in its
 * subfolders get the parts that they use.
 */
export interface ApiContext extends Clients, Identity {
  readonly config: ApiConfig;
  readonly sales: Sales;
  readonly publications: Publications;
  readonly statuses: Statuses;
  readonly claims: ClaimBatch;
  /** Holds new claims until their `place-waiting` job is queued, for at most 20 ms. */
  readonly winners: Winners;
  /** Refuses buyers of sales with nothing to give from memory, without a call of Redis. */
  readonly mirrors: Mirrors;
  /** Sends the refusals of `mirrors` together, at the end of a turn of the event loop. */
  readonly refuse: RefuseAtTurnEnd;
  readonly lookUp: LookUp;
  /** The requests and streams that wait for news of a buyer's order. */
  readonly waiters: Waiters;
  /** Refuses clicks without a good pass, in sales that need one. */
  readonly passes: PassGate;
  /** Limits the requests of each buyer. */
  readonly limits: BuyerLimits;
  /** Counts clicks that come quicker than a hand, and refuses none. */
  readonly quickClicks: QuickClicks;
  /** Verifies the signatures of payment events, with one verifier for each payment provider that is set up. */
  readonly eventVerifiers: Partial<Record<ProviderName, EventVerifier>>;
  /** Measures how busy the process is. While it is busy, clients are advised to poll less often, or are refused. */
  readonly load: Load;
  /** True once the process is shutting down. Then /readyz answers 503, and every answer closes its connection. */
  draining: boolean;
}

/**
 * Creates all clients and caches of an API process. Redis may start later: until then, calls that need Redis get 503.
 *
 * @param figures the limits on the requests of each buyer
 * @throws ConfigError for settings that contradict each other
 */
export function createContext(config: ApiConfig, figures = FIGURES): ApiContext {
  const identity = createIdentity(config);
  const clients = connectClients(config);
  const { redis, queues, feed } = clients;
  const sales = new Sales(redis);
  const publications = new Publications(redis);
  // After a reconnection, Redis may hold other data than was cached before it.
  for (const server of redis.shards) {
    server.on('close', () => {
      sales.forget();
      publications.forget();
    });
  }
  const statuses = new Statuses(redis);
  const winners = new Winners(queues);
  const mirrors = new Mirrors({ redis, feed });
  const load = new Load(redis);
  const quickClicks = new QuickClicks();
  return {
    ...clients,
    ...identity,
    config,
    sales,
    publications,
    statuses,
    claims: createClaimBatch({ redis, winners, mirrors, sales, quickClicks }),
    winners,
    mirrors,
    refuse: createRefuseAtTurnEnd(),
    lookUp: createLookUp({ redis, queues, sales, statuses, receiptKeys: identity.receiptKeys, load }),
    waiters: new Waiters({ feed, sales }),
    passes: new PassGate(sales, identity.passKeys),
    limits: new BuyerLimits(redis, figures),
    quickClicks,
    eventVerifiers: eventVerifiersOf(config),
    load,
    draining: false,
  };
}

function connectClients(settings: RedisSettings): Clients {
  const onError = (error: Error) => storeFailed('redis', error);
  const redis = connectShards(settings, 'api', onError);
  defineScripts(redis);
  followLayout(redis);
  const queueRedis = connectShards(settings, 'api', onError);
  const queues = createQueues(queueRedis, onError);
  const feed = new Feeds(connectShards(settings, 'feed', onError), redis, onError);
  return { redis, queueRedis, queues, feed };
}

function eventVerifiersOf({ PAYMENT_WEBHOOK_SECRETS: secrets }: ApiConfig): ApiContext['eventVerifiers'] {
  return secrets ? { 'signed-webhook': createSignedWebhookVerifier(secrets) } : {};
}

/**
 * The time-out for closing the queues' connections at shutdown, in ms. The outbox in Redis holds the claims whose
 * jobs are not queued by then.
 */
const QUIT_MS = 1_000;

/**
 * Closes every client and timer of the API process. Its BullMQ queues only add jobs, so closing their shared
 * connections is enough.
 */
export async function closeContext(ctx: ApiContext): Promise<void> {
  const { redis, queueRedis, limits, quickClicks, waiters, mirrors, passes, feed, load, winners, issuer } = ctx;
  load.close();
  passes.close();
  limits.close();
  quickClicks.close();
  issuer?.close();
  waiters.close();
  mirrors.close();
  feed.close();
  await winners.flush();
  const connected = queueRedis.shards.filter(({ status }) => status === 'ready');
  const quitting = Promise.all(connected.map(server => server.quit()));
  await withDeadline(quitting, QUIT_MS, 'quitting').catch(() => undefined);
  queueRedis.disconnect();
  redis.disconnect();
}
