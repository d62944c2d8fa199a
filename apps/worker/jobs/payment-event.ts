import type { JobData } from '#core/queue/jobs.js';
import type { StepContext } from '#core/steps/context.js';
import { takePaymentEvent } from '#core/steps/payment-event.js';

/** Stores one event of a payment provider, and lets it take effect. */
export function paymentEvent(ctx: StepContext) {
  return ({ provider, event }: JobData<'payment-event'>): Promise<void> => takePaymentEvent(ctx, provider, event);
}
