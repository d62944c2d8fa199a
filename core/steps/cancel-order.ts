import { cancelRow } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { orderCancelled } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/**
 * Cancels an order for its buyer and releases its unit. A claim that is not an order yet is cancelled as well.
 * Idempotent; a paid order stays paid.
 *
 * @throws NotVerified and the stores' errors: the job is retried
 */
export async function cancelOrder(ctx: StepContext, { saleId, ...claim }: JobData<'cancel-order'>): Promise<void> {
  const releases = await crashStep('cancel.end', () => cancelRow(ctx.db, saleId, claim));
  await crashPoint('cancel.ended');
  if (releases.length > 0) orderCancelled();
  await releaseUnits(ctx, releases);
}
