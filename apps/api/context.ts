import { Issuer } from '#core/identity/issuer.js';
import { type ReceiptKey, receiptKey } from '#core/identity/receipt.js';
import { createBuyerVerifier } from '#core/identity/token.js';
import type { EventVerifier } from '#core/payments/provider.js';
import { createSignedWebhookVerifier } from '#core/payments/signed-webhook.js';
import { allOrNone, type Config } from '#core/process/config.js';
import { storeFailed } from '#core/process/telemetry.js';
import { createQueues, type Queues } from '#core/queue/queues.js';
import { connectRedis, type Redis } from '#core/redis/connection.js';
import { Feed } from '#core/redis/feed/feed.js';
import { defineScripts } from '#core/redis/scripts.js';
import { withDeadline } from '#core/rules/clock.js';
import type { ProviderName } from '#core/rules/sale.js';
import { createLookUp, type LookUp } from './answers/look-up.js';
import { type ClaimBatch, createClaimBatch } from './batching/claim-batch.js';
import { Statuses } from './batching/status-batch.js';
import { createRefuseAtTurnEnd, type RefuseAtTurnEnd } from './batching/turn-refusals.js';
import { Winners } from './batching/winners.js';
import type { VerifyToken } from './http/buyer.js';
import { Mirrors } from './mirror/mirrors.js';
import { Sales } from './mirror/sales.js';
import { Load } from './slowdown.js';
import { Waiters } from './waiting/waiters.js';

/** The settings of this process. There is none for a database, as the API has no client for one. */
export const API_SETTINGS = [
  'REDIS_URL',
  'AUTH_SECRET',
  'AUTH_JWKS_URL',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'LOG_LEVEL',
  'PORT',
  'HOST',
  'METRICS_PORT',
  'METRICS_HOST',
  'GUEST_TOKENS',
  'PAYMENT_WEBHOOK_SECRETS',
] as const;

/** The checked settings of an API. */
export type ApiConfig = Config<(typeof API_SETTINGS)[number]>;

/** The connections of this process. */
interface Clients {
  readonly redis: Redis;
  /** A second connection, so that a claim never waits behind a job that is queued. */
  readonly queueRedis: Redis;
  readonly queues: Queues;
  /** Tells the changes of sales, on a third connection. */
  readonly feed: Feed;
}

/** Every part of the API. Only the files beside this one know all of it: each room takes the parts that it uses. */
export interface ApiContext extends Clients {
  readonly config: ApiConfig;
  readonly sales: Sales;
  readonly statuses: Statuses;
  readonly claims: ClaimBatch;
  /** The winners who are not queued yet. */
  readonly winners: Winners;
  /** Refuses buyers of sold-out sales from memory. */
  readonly mirrors: Mirrors;
  /** Sends those refusals. */
  readonly refuse: RefuseAtTurnEnd;
  readonly lookUp: LookUp;
  /** The requests that wait for news. */
  readonly waiters: Waiters;
  readonly verifyToken: VerifyToken;
  /** The shop's own issuer of tokens, if it has one. */
  readonly issuer: Issuer | undefined;
  /** Verifies the events of each payment provider that is set up. */
  readonly eventVerifiers: Partial<Record<ProviderName, EventVerifier>>;
  /** Signs and verifies receipts. */
  readonly receiptKey: ReceiptKey;
  /** Tells clients to poll less often while the process is busy. */
  readonly load: Load;
  /** True once the process ends. It is no longer ready, and its answers close their connections. */
  draining: boolean;
}

/**
 * Creates every part of the API. Redis may start later: until then, answers are 503.
 *
 * @throws ConfigError for settings that contradict each other
 */
export function createContext(config: ApiConfig): ApiContext {
  const issuer = issuerOf(config);
  const key = receiptKey(config.AUTH_SECRET);
  const clients = connectClients(config.REDIS_URL);
  const { redis, queues, feed } = clients;
  const sales = new Sales(redis);
  // A sale that was read before a lost connection may differ from the one after it.
  redis.on('close', () => sales.forget());
  const statuses = new Statuses(redis);
  const winners = new Winners(queues);
  const mirrors = new Mirrors({ redis, feed });
  const load = new Load();
  return {
    ...clients,
    config,
    sales,
    statuses,
    claims: createClaimBatch({ redis, winners, mirrors }),
    winners,
    mirrors,
    refuse: createRefuseAtTurnEnd(),
    lookUp: createLookUp({ redis, queues, sales, statuses, receiptKey: key, load }),
    waiters: new Waiters({ feed, sales }),
    verifyToken: tokenVerifierOf(config.AUTH_SECRET, issuer),
    issuer,
    eventVerifiers: eventVerifiersOf(config),
    receiptKey: key,
    load,
    draining: false,
  };
}

function connectClients(url: string): Clients {
  const onError = (error: Error) => storeFailed('redis', error);
  const redis = connectRedis(url, 'api', onError);
  defineScripts(redis);
  const queueRedis = connectRedis(url, 'api', onError);
  const queues = createQueues(queueRedis, onError);
  const feed = new Feed(connectRedis(url, 'feed', onError), redis, onError);
  return { redis, queueRedis, queues, feed };
}

function issuerOf(config: ApiConfig): Issuer | undefined {
  const given = allOrNone(config, ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE']);
  return given && new Issuer({ url: given.AUTH_JWKS_URL, issuer: given.AUTH_ISSUER, audience: given.AUTH_AUDIENCE });
}

/** Accepts tokens of the issuer and tokens that are signed with AUTH_SECRET (guests, `cli token`). */
function tokenVerifierOf(secret: string, issuer: Issuer | undefined): VerifyToken {
  const verifyOwn = createBuyerVerifier(secret);
  return issuer ? token => issuer.verify(token) ?? verifyOwn(token) : verifyOwn;
}

function eventVerifiersOf({ PAYMENT_WEBHOOK_SECRETS: secrets }: ApiConfig): ApiContext['eventVerifiers'] {
  return secrets ? { 'signed-webhook': createSignedWebhookVerifier(secrets) } : {};
}

/** The time-out for queueing the last jobs, in ms. The outbox holds the claims of jobs that are not queued by then. */
const QUIT_MS = 1_000;

/** Closes every part. The queues have nothing to close but their connection. */
export async function closeContext(ctx: ApiContext): Promise<void> {
  const { redis, queueRedis, waiters, mirrors, feed, load, winners, issuer } = ctx;
  load.close();
  issuer?.close();
  waiters.close();
  mirrors.close();
  feed.close();
  await winners.flush();
  if (queueRedis.status === 'ready') await withDeadline(queueRedis.quit(), QUIT_MS, 'quitting').catch(() => undefined);
  queueRedis.disconnect();
  redis.disconnect();
}
