import type { JobData } from '#core/queue/jobs.js';
import type { StepContext } from '#core/steps/context.js';
import { expireOrders as expire } from '#core/steps/expire-orders.js';

/** Cancels what one batch has not paid. Delayed, and only a hint: whatever isn't due yet by Postgres's clock is left. */
export function expireOrders(ctx: StepContext) {
  return async ({ claimIds }: JobData<'expire-orders'>): Promise<void> => {
    await expire(ctx, claimIds);
  };
}
