import { readReleases } from '../postgres/deliveries/releases.js';
import { type Refund, refundRow } from '../postgres/money/refund.js';
import { readOrders } from '../postgres/orders/order-row.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { orderRefunded } from '../process/telemetry.js';
import type { Order } from '../rules/order.js';
import type { StepContext } from '../steps/context.js';
import { releaseUnits } from '../steps/release-units.js';

/** `not_paid`: there is nothing to give back. `refunded`: it was given back, now or before. */
export type RefundResult =
  | { kind: 'refunded'; order: Order; now: boolean }
  | { kind: 'not_paid'; order: Order }
  | { kind: 'unknown_order' };

/**
 * Gives the money of a paid order back. A wallet has it at once; a provider is told by the worker, until it has done it. Safe to repeat.
 *
 * @param ctx the stores
 * @param refund the order, and what becomes of its unit
 * @returns what came of it
 * @throws what Postgres throws: then do it again. Redis may be away: deliver-events releases the unit when it is back
 */
export async function refundOrder(ctx: StepContext, { orderId, restock }: Refund): Promise<RefundResult> {
  const events = await crashStep('refund.end', () => refundRow(ctx.db, { orderId, restock }));
  await crashPoint('refund.ended');
  const [order] = await readOrders(ctx.db, [orderId]);
  if (!order) return { kind: 'unknown_order' };
  if (order.status !== 'refunded') return { kind: 'not_paid', order };
  if (events.length > 0) orderRefunded();
  const releases = events.length > 0 ? events : await readReleases(ctx.db, [orderId]);
  await releaseUnits(ctx, releases).catch(error => ctx.log.warn({ err: error, orderId }, 'the unit is released later'));
  return { kind: 'refunded', order, now: events.length > 0 };
}
