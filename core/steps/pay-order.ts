import { crashPoint, crashStep } from '../crash-point.js';
import { orderPaid } from '../events.js';
import { claimStatusOf, isLiveOrder } from '../order.js';
import { expireOrders } from '../orders/end.js';
import { payOrder as pay } from '../orders/pay.js';
import { recordStatus } from '../stock/status.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/**
 * Pays an order from its buyer's wallet, and tells Redis. Safe to repeat.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param claimId the order
 * @param buyerId its buyer
 * @throws NotVerified, and what the stores throw: then do it again
 */
export async function payOrder(ctx: StepContext, saleId: string, claimId: string, buyerId: string): Promise<void> {
  const { outcome, order } = await crashStep('pay.capture', () => pay(ctx.db, claimId, buyerId));
  await crashPoint('pay.captured');
  if (!order) return;
  if (outcome === 'paid') orderPaid();
  // A click after the deadline is answered by the truth, at once: the order has expired.
  if (outcome === 'not_payable' && order.status === 'pending_payment') {
    return releaseUnits(ctx, await expireOrders(ctx.db, 1, [claimId]));
  }
  if (!isLiveOrder(order.status)) return;
  const reason = outcome === 'insufficient_funds' ? outcome : null;
  const record = { ...order, status: claimStatusOf(order.status), reason };
  await crashStep('pay.record', () => recordStatus(ctx.redis, saleId, [record]));
}
