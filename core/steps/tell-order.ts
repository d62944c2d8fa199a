import { readOrders } from '../postgres/orders/order-row.js';
import { recordStatus } from '../redis/claims/status.js';
import type { Claim } from '../rules/claim.js';
import { claimOf, isLiveOrder, type OrderReason } from '../rules/order.js';
import type { StepContext } from './context.js';

/** An order whose status Redis should record, and the reason if its payment failed. */
export interface ToldOrder extends Pick<Claim, 'claimId' | 'buyerId'> {
  saleId: string;
  reason?: OrderReason | null;
}

/**
 * Records the status of a live order in Redis, where its buyer sees it. An ended order is skipped, as its release
 * records the end. Idempotent.
 *
 * @param told its `reason` is ignored once the order is paid
 * @throws NotVerified and the stores' errors: the caller retries
 */
export async function tellOrder(
  ctx: StepContext,
  { saleId, claimId, buyerId, reason = null }: ToldOrder,
): Promise<void> {
  const [order] = await readOrders(ctx.db, [claimId]);
  if (order?.buyerId !== buyerId || !isLiveOrder(order.status)) return;
  const record = { ...claimOf(order), reason: order.status === 'paid' ? null : reason };
  await recordStatus(ctx.redis, saleId, [record]);
}
