import type { Claim } from '../claim.js';
import { crashPoint, crashStep } from '../crash-point.js';
import { orderCancelled } from '../events.js';
import { cancelOrder as cancel } from '../orders/end.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/**
 * Cancels an order for its buyer, placed or not yet, and releases its unit. Safe to repeat; a paid order stays paid.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param claim whose order
 * @throws NotVerified, and what the stores throw: then do it again
 */
export async function cancelOrder(ctx: StepContext, saleId: string, claim: Claim): Promise<void> {
  const events = await crashStep('cancel.end', () => cancel(ctx.db, saleId, claim));
  await crashPoint('cancel.ended');
  if (events.length > 0) orderCancelled();
  await releaseUnits(ctx, events);
}
