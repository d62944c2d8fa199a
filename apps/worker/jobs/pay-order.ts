import type { JobData } from '#core/queue/jobs.js';
import type { StepContext } from '#core/steps/context.js';
import { payOrder as pay } from '#core/steps/pay-order.js';

/** Has one order paid, from its buyer's wallet or at its sale's provider. */
export function payOrder(ctx: StepContext) {
  return ({ saleId, claimId, buyerId }: JobData<'pay-order'>): Promise<void> => pay(ctx, saleId, claimId, buyerId);
}
