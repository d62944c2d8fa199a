import type { JobData } from '#core/queue/jobs.js';
import type { StepContext } from '#core/steps/context.js';
import { placeOrders as place } from '#core/steps/place-orders.js';

/** Places the winners of one batch. */
export function placeOrders(ctx: StepContext) {
  return ({ saleId, claims }: JobData<'place-orders'>): Promise<void> => place(ctx, saleId, claims);
}
