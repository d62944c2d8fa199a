import { keysOf } from '#core/redis/keys.js';
import { type Claim, type ClaimRecord, formatClaimRecord } from '#core/rules/claim.js';
import type { TestStores } from './stores.js';

// What no step of the system would do: the damage that repairs and audits are tested with.

/** Writes a claim into Redis and takes its unit out of stock, with an entry in the outbox unless it says otherwise. */
export async function forceClaim(
  { redis }: TestStores,
  saleId: string,
  claim: Claim,
  status: ClaimRecord['status'] = 'queued',
  outbox = true,
): Promise<void> {
  const keys = keysOf(saleId);
  await redis.lrem(keys.stock, 1, claim.unit);
  await redis.hset(keys.claims, claim.buyerId, formatClaimRecord({ ...claim, status }));
  if (outbox) await redis.zadd(keys.outbox, 1, claim.buyerId);
}

/** Makes Redis forget a claim and puts its unit back in stock, as a lost tail of its log would. */
export async function loseClaim({ redis }: TestStores, saleId: string, claim: Claim): Promise<void> {
  const keys = keysOf(saleId);
  await redis.hdel(keys.claims, claim.buyerId);
  await redis.zrem(keys.outbox, claim.buyerId);
  await redis.lpush(keys.stock, claim.unit);
}

/** Moves the deadline of orders into the past, by Postgres's clock. */
export async function makeOverdue({ db }: TestStores, claims: Claim[], bySeconds = 1): Promise<void> {
  const ids = claims.map(claim => claim.claimId);
  await db.$executeRaw`UPDATE orders SET version = version + 1,
    pay_by = clock_timestamp() - ${bySeconds} * interval '1 second' WHERE id = ANY(${ids}::uuid[])`;
}

/** Makes the releases of a sale look as if they had been decided a while ago. */
export async function makeReleasesOld(
  { db }: Pick<TestStores, 'db'>,
  saleId: string,
  bySeconds: number,
): Promise<void> {
  await db.$executeRaw`UPDATE outbox_events
    SET created_at = clock_timestamp() - ${bySeconds} * interval '1 second' WHERE sale_id = ${saleId}`;
}
