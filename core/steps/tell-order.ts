import { readOrders } from '../postgres/orders/order-row.js';
import { recordStatus } from '../redis/claims/status.js';
import type { Claim } from '../rules/claim.js';
import { claimOf, isLiveOrder, type OrderReason } from '../rules/order.js';
import type { StepContext } from './context.js';

/**
 * Tells Redis where an order stands, while it is live: of one that has ended its release tells. Safe to repeat.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param claim which order, and whose
 * @param reason why a payment was not taken; nothing, once the order is paid
 * @throws NotVerified, and what the stores throw: then do it again
 */
export async function tellOrder(
  ctx: StepContext,
  saleId: string,
  { claimId, buyerId }: Pick<Claim, 'claimId' | 'buyerId'>,
  reason: OrderReason | null = null,
): Promise<void> {
  const [order] = await readOrders(ctx.db, [claimId]);
  if (order?.buyerId !== buyerId || !isLiveOrder(order.status)) return;
  const record = { ...claimOf(order), reason: order.status === 'paid' ? null : reason };
  await recordStatus(ctx.redis, saleId, [record]);
}
