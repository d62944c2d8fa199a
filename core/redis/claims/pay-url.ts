import type { Redis } from '../connection.js';
import { paymentsKeyOf } from '../keys.js';

/**
 * Shows a buyer where to pay. It is only shown: Postgres has it, too, and asking to pay brings it back when Redis has lost it.
 *
 * @param redis a connection
 * @param saleId the sale
 * @param claimId the order
 * @param payUrl the address at the provider
 */
export async function setPayUrl(redis: Redis, saleId: string, claimId: string, payUrl: string): Promise<void> {
  await redis.hset(paymentsKeyOf(saleId), claimId, payUrl);
}

/**
 * Stops showing where to pay, when nothing can be paid there any more. Asking to pay shows the next place.
 *
 * @param redis a connection
 * @param saleId the sale
 * @param claimId the order
 */
export async function dropPayUrl(redis: Redis, saleId: string, claimId: string): Promise<void> {
  await redis.hdel(paymentsKeyOf(saleId), claimId);
}

/**
 * @param redis a connection
 * @param saleId the sale
 * @param claimId the order
 * @returns where it is paid, or undefined while nobody has asked to pay
 */
export async function readPayUrl(redis: Redis, saleId: string, claimId: string): Promise<string | undefined> {
  return (await redis.hget(paymentsKeyOf(saleId), claimId)) ?? undefined;
}
