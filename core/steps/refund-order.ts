import { crashPoint, crashStep } from '../crash-point.js';
import { orderRefunded } from '../events.js';
import type { Order } from '../order.js';
import { readOrders } from '../orders/place.js';
import { refundOrder as refund } from '../orders/refund.js';
import { readReleases } from '../orders/release-event.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/** `not_paid`: there is nothing to give back. `refunded`: it was given back, now or before. */
export type RefundResult =
  | { kind: 'refunded'; order: Order; now: boolean }
  | { kind: 'not_paid'; order: Order }
  | { kind: 'unknown_order' };

/**
 * Gives the money of a paid order back. A wallet has it at once; a provider is told by the worker, until it has done it. Safe to repeat.
 *
 * @param ctx the stores
 * @param orderId the order
 * @param restock whether its unit returns to stock
 * @returns what came of it
 * @throws what Postgres throws: then do it again. Redis may be away: deliver-events releases the unit when it is back
 */
export async function refundOrder(ctx: StepContext, orderId: string, restock: boolean): Promise<RefundResult> {
  const events = await crashStep('refund.end', () => refund(ctx.db, orderId, restock));
  await crashPoint('refund.ended');
  const [order] = await readOrders(ctx.db, [orderId]);
  if (!order) return { kind: 'unknown_order' };
  if (order.status !== 'refunded') return { kind: 'not_paid', order };
  if (events.length > 0) orderRefunded();
  const releases = events.length > 0 ? events : await readReleases(ctx.db, [orderId]);
  await releaseUnits(ctx, releases).catch(error => ctx.log.warn({ err: error, orderId }, 'the unit is released later'));
  return { kind: 'refunded', order, now: events.length > 0 };
}
