import { createIssuer, type Issuer } from '#core/identity/issuer.js';
import { type ReceiptKey, receiptKey } from '#core/identity/receipt.js';
import { buyerVerifier } from '#core/identity/token.js';
import type { EventVerifier } from '#core/payments/provider.js';
import { signedWebhookVerifier } from '#core/payments/signed-webhook.js';
import { allOrNone, type Config } from '#core/process/config.js';
import { storeFailed } from '#core/process/telemetry.js';
import { createQueues, type Queues } from '#core/queue/queues.js';
import { connectRedis, type Redis } from '#core/redis/connection.js';
import { Feed } from '#core/redis/feed/feed.js';
import { defineScripts } from '#core/redis/scripts.js';
import { withDeadline } from '#core/rules/clock.js';
import type { ProviderName } from '#core/rules/sale.js';
import { type ClaimBatch, createClaimBatch } from './batching/claim-batch.js';
import { createStatuses, type Statuses } from './batching/status-batch.js';
import { type RefuseAtTurnEnd, refuseAtTurnEnd } from './batching/turn-refusals.js';
import { holdWinners, type Winners } from './batching/winners.js';
import type { VerifyToken } from './http/buyer.js';
import { type Load, watchLoad } from './load.js';
import { createMirrors, type Mirrors } from './mirror/mirrors.js';
import { createSales, type Sales } from './mirror/sales.js';
import { openWaiters, type Waiters } from './waiting/waiters.js';

/** The settings of this process. There is none for a database: the API has no client for one. */
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

export type ApiConfig = Config<(typeof API_SETTINGS)[number]>;

/** Everything an answer needs, made once. */
export interface ApiContext {
  readonly config: ApiConfig;
  readonly redis: Redis;
  /** Another connection, so that a claim never waits behind a job that is queued. */
  readonly queueRedis: Redis;
  readonly queues: Queues;
  readonly sales: Sales;
  readonly statuses: Statuses;
  readonly claims: ClaimBatch;
  /** Who has won and is not queued yet. */
  readonly winners: Winners;
  /** What is sold out is refused from memory. */
  readonly mirrors: Mirrors;
  /** Answers those. */
  readonly refuse: RefuseAtTurnEnd;
  /** Who waits for news. */
  readonly waiters: Waiters;
  /** Tells what changes, on a connection of its own. */
  readonly feed: Feed;
  /** Whose token it is. */
  readonly verifyToken: VerifyToken;
  /** The shop's own issuer of tokens, if it has one. */
  readonly issuer: Issuer | undefined;
  /** The payment providers whose events can be told from forged ones. */
  readonly eventVerifiers: Partial<Record<ProviderName, EventVerifier>>;
  /** Signs and verifies receipts. */
  readonly receiptKey: ReceiptKey;
  /** Tells clients to ask less often while there is much to do. */
  readonly load: Load;
  /** Set when the process ends: it isn't ready for new work, and asks clients to connect elsewhere. */
  draining: boolean;
}

/**
 * Connects the parts of the API. Redis need not be there yet: until it is, answers are 503.
 *
 * @param config the settings
 * @returns the context
 * @throws ConfigError for settings that don't go together
 */
export function createContext(config: ApiConfig): ApiContext {
  const issuer = issuerOf(config);
  const onError = (error: Error) => storeFailed('redis', error);
  const redis = connectRedis(config.REDIS_URL, 'api', onError);
  defineScripts(redis);
  const queueRedis = connectRedis(config.REDIS_URL, 'api', onError);
  const queues = createQueues(queueRedis, onError);
  const sales = createSales(redis);
  const feed = new Feed(connectRedis(config.REDIS_URL, 'feed', onError), redis, onError);
  const mirrors = createMirrors(redis, feed);
  const winners = holdWinners(queues);
  // What was read from a Redis that went away says nothing about the one that comes back.
  redis.on('close', () => sales.forget());
  return {
    config,
    redis,
    queueRedis,
    queues,
    sales,
    statuses: createStatuses(redis),
    claims: createClaimBatch(redis, winners, mirrors),
    winners,
    mirrors,
    refuse: refuseAtTurnEnd(),
    waiters: openWaiters(feed, sales.forget),
    feed,
    verifyToken: tokenVerifier(config.AUTH_SECRET, issuer),
    issuer,
    eventVerifiers: config.PAYMENT_WEBHOOK_SECRETS
      ? { 'signed-webhook': signedWebhookVerifier(config.PAYMENT_WEBHOOK_SECRETS) }
      : {},
    receiptKey: receiptKey(config.AUTH_SECRET),
    load: watchLoad(),
    draining: false,
  };
}

function issuerOf(config: ApiConfig): Issuer | undefined {
  const given = allOrNone(config, ['AUTH_JWKS_URL', 'AUTH_ISSUER', 'AUTH_AUDIENCE']);
  return given && createIssuer({ url: given.AUTH_JWKS_URL, issuer: given.AUTH_ISSUER, audience: given.AUTH_AUDIENCE });
}

/** Tokens that we sign ourselves (guests, `cli token`) are good beside those of the issuer. */
function tokenVerifier(secret: string, issuer: Issuer | undefined): VerifyToken {
  const verifyOwn = buyerVerifier(secret);
  return issuer ? token => issuer.verify(token) ?? verifyOwn(token) : verifyOwn;
}

/** How long the last jobs may take to be queued, in ms. What isn't by then is in the outbox. */
const QUIT_MS = 1_000;

/** @param ctx from {@link createContext}; its queues have nothing of their own to close but their connection */
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
