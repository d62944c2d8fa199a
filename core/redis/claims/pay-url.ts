import { paymentsKeyOf } from '../keys.js';
import type { Shards } from '../shards.js';

/**
 * Stores in Redis the address at which a buyer pays an order. It is a copy for reading: Postgres has the address too,
 * and the next request to pay stores it again.
 */
export async function setPayUrl(
  redis: Shards,
  saleId: string,
  { claimId, payUrl }: { claimId: string; payUrl: string },
): Promise<void> {
  await redis.of(saleId).hset(paymentsKeyOf(saleId), claimId, payUrl);
}

/**
 * Removes an order's pay address, at which nothing can be paid any more. The buyer's next request to pay stores another
 * one.
 */
export async function dropPayUrl(redis: Shards, saleId: string, claimId: string): Promise<void> {
  await redis.of(saleId).hdel(paymentsKeyOf(saleId), claimId);
}

/** Reads the address at which an order is paid; undefined before its buyer asked to pay. */
export async function readPayUrl(redis: Shards, saleId: string, claimId: string): Promise<string | undefined> {
  return (await redis.of(saleId).hget(paymentsKeyOf(saleId), claimId)) ?? undefined;
}
