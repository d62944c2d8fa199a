import { cancelOrder as cancel } from '../postgres/orders/end.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { orderCancelled } from '../process/telemetry.js';
import type { Claim } from '../rules/claim.js';
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
