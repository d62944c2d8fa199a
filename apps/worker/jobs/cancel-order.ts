import type { JobData } from '#core/queue/jobs.js';
import { cancelOrder as cancel } from '#core/steps/cancel-order.js';
import type { StepContext } from '#core/steps/context.js';

/** Cancels one order for its buyer. */
export function cancelOrder(ctx: StepContext) {
  return ({ saleId, ...claim }: JobData<'cancel-order'>): Promise<void> => cancel(ctx, saleId, claim);
}
