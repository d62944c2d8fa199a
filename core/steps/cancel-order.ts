import { cancelRow } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { orderCancelled } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/**
 * Cancels an order for its buyer, placed or not, and releases its unit. Idempotent; a paid order stays paid.
 *
 * @throws NotVerified and the stores' errors: retry
 */
export async function cancelOrder(ctx: StepContext, { saleId, ...claim }: JobData<'cancel-order'>): Promise<void> {
  const releases = await crashStep('cancel.end', () => cancelRow(ctx.db, saleId, claim));
  await crashPoint('cancel.ended');
  if (releases.length > 0) orderCancelled();
  await releaseUnits(ctx, releases);
}
