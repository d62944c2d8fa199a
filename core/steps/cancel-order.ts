import { cancelRow } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { orderCancelled } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/**
 * Cancels an order for its buyer, placed or not yet, and releases its unit. Safe to repeat; a paid order stays paid.
 *
 * @param ctx the stores
 * @param job the claim, and its sale
 * @throws NotVerified, and what the stores throw: then do it again
 */
export async function cancelOrder(ctx: StepContext, { saleId, ...claim }: JobData<'cancel-order'>): Promise<void> {
  const events = await crashStep('cancel.end', () => cancelRow(ctx.db, saleId, claim));
  await crashPoint('cancel.ended');
  if (events.length > 0) orderCancelled();
  await releaseUnits(ctx, events);
}
