import type { Redis } from '../connection.js';
import { paymentsKeyOf } from '../keys.js';

/**
 * Stores the address at which a buyer pays. It is a copy for reading: Postgres has it too, and asking to pay restores
 * it.
 */
export async function setPayUrl(
  redis: Redis,
  saleId: string,
  { claimId, payUrl }: { claimId: string; payUrl: string },
): Promise<void> {
  await redis.hset(paymentsKeyOf(saleId), claimId, payUrl);
}

/** Removes the address at which nothing can be paid any more. Asking to pay stores the next one. */
export async function dropPayUrl(redis: Redis, saleId: string, claimId: string): Promise<void> {
  await redis.hdel(paymentsKeyOf(saleId), claimId);
}

/** Reads the address at which an order is paid; undefined before the buyer asked to pay. */
export async function readPayUrl(redis: Redis, saleId: string, claimId: string): Promise<string | undefined> {
  return (await redis.hget(paymentsKeyOf(saleId), claimId)) ?? undefined;
}
