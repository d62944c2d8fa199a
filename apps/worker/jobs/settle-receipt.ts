import type { JobData } from '#core/queue/jobs.js';
import type { StepContext } from '#core/steps/context.js';
import { settleReceipt as settle } from '#core/steps/settle-receipt.js';

/** Decides what became of one claim that Redis has lost. */
export function settleReceipt(ctx: StepContext) {
  return ({ saleId, ...claim }: JobData<'settle-receipt'>): Promise<void> => settle(ctx, saleId, claim);
}
