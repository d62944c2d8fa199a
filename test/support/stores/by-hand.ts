import { keysOf, payClicksKeyOf } from '#core/redis/keys.js';
import { type Claim, type ClaimRecord, formatClaimRecord } from '#core/rules/claim.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { readRedisMs } from '../redis/clock.js';
import type { TestStores } from './stores.js';

// Changes of the stores that no step makes: the damage for tests of repairs and audits.

/** The record of a forced claim. */
interface Forced {
  /** `queued` by default. */
  status?: ClaimRecord['status'];
  /** False leaves the entry in the outbox out. */
  outbox?: boolean;
}

/** Writes a claim into Redis and takes its unit out of stock. */
export async function forceClaim(
  { redis }: Pick<TestStores, 'redis'>,
  saleId: string,
  claim: Claim,
  { status = 'queued', outbox = true }: Forced = {},
): Promise<void> {
  const keys = keysOf(saleId);
  await redis.lrem(keys.stock, 1, claim.unit);
  await redis.hset(keys.claims, claim.buyerId, formatClaimRecord({ ...claim, status }));
  if (outbox) await redis.zadd(keys.outbox, 1, claim.buyerId);
}

/** Deletes a claim from Redis and puts its unit back in stock, like a Redis that lost recent writes. */
export async function loseClaim({ redis }: Pick<TestStores, 'redis'>, saleId: string, claim: Claim): Promise<void> {
  const keys = keysOf(saleId);
  await redis.hdel(keys.claims, claim.buyerId);
  await redis.zrem(keys.outbox, claim.buyerId);
  await redis.lpush(keys.stock, claim.unit);
}

/** Moves the deadline of orders into the past, by Postgres's clock. */
export async function backdateDeadlines({ db }: TestStores, claims: Claim[], bySeconds = 1): Promise<void> {
  const ids = claims.map(claim => claim.claimId);
  await db.$executeRaw`UPDATE orders SET version = version + 1,
    pay_by = clock_timestamp() - ${bySeconds} * interval '1 second' WHERE id = ANY(${ids}::uuid[])`;
}

/** Moves the deadlines of a sale's unpaid orders to this moment, by Postgres's clock. A worker cancels them within 2 s. */
export async function passDeadlines({ db }: Pick<TestStores, 'db'>, saleId: string): Promise<void> {
  await db.$executeRaw`UPDATE orders SET version = version + 1, pay_by = clock_timestamp()
    WHERE sale_id = ${saleId} AND status = 'pending_payment'`;
}

/** How long before the deadline a backdated click came, in s. */
const CLICKED_BEFORE_SECONDS = 40;

/** Moves a buyer's click to pay, and the deadline of the order 40 s after it, into the past. */
export async function backdateClick(stores: TestStores, saleId: string, claim: Claim, bySeconds = 1): Promise<void> {
  const clickedAtMs = (await readRedisMs(stores.redis)) - (bySeconds + CLICKED_BEFORE_SECONDS) * SECOND_MS;
  await stores.redis.zadd(payClicksKeyOf(saleId), 'XX', clickedAtMs, `${claim.claimId} ${claim.buyerId}`);
  await backdateDeadlines(stores, [claim], bySeconds);
}

/** Moves the decision of a sale's releases into the past, by Postgres's clock. */
export async function backdateReleases(
  { db }: Pick<TestStores, 'db'>,
  saleId: string,
  bySeconds: number,
): Promise<void> {
  await db.$executeRaw`UPDATE outbox_events
    SET created_at = clock_timestamp() - ${bySeconds} * interval '1 second' WHERE sale_id = ${saleId}`;
}
