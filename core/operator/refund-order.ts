import { readReleases } from '../postgres/deliveries/releases.js';
import { type Refund, refundRow } from '../postgres/money/refund.js';
import { readOrders } from '../postgres/orders/order-row.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { orderRefunded } from '../process/telemetry.js';
import type { Order } from '../rules/order.js';
import type { StepContext } from '../steps/context.js';
import { releaseUnits } from '../steps/release-units.js';

/**
 * The outcome of refunding an order. `refunded`: by this call if `now` is true, otherwise before. `not_paid`: there is
 * no money to return.
 */
export type RefundResult =
  | { kind: 'refunded'; order: Order; now: boolean }
  | { kind: 'not_paid'; order: Order }
  | { kind: 'unknown_order' };

/**
 * Refunds what is left of a paid order's money and frees its buyer. A wallet has the money at once; at a payment
 * provider, a worker retries until the refund is done. Idempotent.
 *
 * @throws Postgres's error: the caller retries. Redis may be away: then the actor deliver-events frees unit and buyer
 * later.
 */
export async function refundOrder(ctx: StepContext, { orderId, restock }: Refund): Promise<RefundResult> {
  const written = await crashStep('refund.end', () => refundRow(ctx.db, { orderId, restock }));
  await crashPoint('refund.ended');
  const [order] = await readOrders(ctx.db, [orderId]);
  if (!order) return { kind: 'unknown_order' };
  if (order.status !== 'refunded') return { kind: 'not_paid', order };
  if (written.length > 0) orderRefunded();
  const releases = written.length > 0 ? written : await readReleases(ctx.db, [orderId]);
  await releaseUnits(ctx, releases).catch(error => ctx.log.warn({ err: error, orderId }, 'the unit is released later'));
  return { kind: 'refunded', order, now: written.length > 0 };
}
