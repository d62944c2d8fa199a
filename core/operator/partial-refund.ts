import { type PartialRefund, type PartialRefundOutcome, refundRowPartially } from '../postgres/money/refund.js';
import { readOrders, readSaleIdOf } from '../postgres/orders/order-row.js';
import { orderPartiallyRefunded } from '../process/telemetry.js';
import { markChanged } from '../redis/marks.js';
import type { Order } from '../rules/order.js';
import type { StepContext } from '../steps/context.js';
import { tellOrder } from '../steps/tell-order.js';

/** The outcome of giving a part of an order's money back, with the order. */
export type PartialRefundResult = { kind: 'unknown_order' } | (PartialRefundOutcome & { order: Order });

/**
 * Gives a part of a paid order's money back. The order stays paid and keeps its unit, and the buyer sees the total that
 * went back. A wallet has the money at once; at a payment provider, a worker retries until the refund is done.
 *
 * @throws Postgres's error: the caller repeats the call with the same `refundedMinor`. Redis may be away: then reconcile
 * tells the buyer later.
 */
export async function refundOrderPartially(ctx: StepContext, refund: PartialRefund): Promise<PartialRefundResult> {
  const saleId = await readSaleIdOf(ctx.db, refund.orderId);
  if (saleId === undefined) return { kind: 'unknown_order' };
  // If this process dies before it tells the buyer, reconcile does. Without Redis there is no mark: its workers compare every sale when
  // it is back. If this process alone has lost it, the buyer learns of it when the quiet sale is due.
  await markChanged(ctx.redis, saleId).catch(() => undefined);
  const outcome = await refundRowPartially(ctx.db, refund);
  const [order] = await readOrders(ctx.db, [refund.orderId]);
  if (!order) return { kind: 'unknown_order' };
  if (outcome.kind === 'refunded') {
    orderPartiallyRefunded();
    const { claimId, buyerId } = order;
    await tellOrder(ctx, { saleId: outcome.saleId, claimId, buyerId }).catch(error =>
      ctx.log.warn({ err: error, orderId: claimId }, 'the buyer is told of the refund later'),
    );
  }
  return { ...outcome, order };
}
