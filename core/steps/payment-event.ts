import type { Payment } from '../postgres/money/payment.js';
import { type AppliedReport, applyAnswer, applyEvent } from '../postgres/money/payment-report.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersPaid, paymentReported } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import { dropPayUrl, readPayUrl } from '../redis/claims/pay-url.js';
import type { OrderReason } from '../rules/order.js';
import type { PaymentReport } from '../rules/payment.js';
import type { ProviderName } from '../rules/sale.js';
import type { StepContext } from './context.js';
import { decideLateMoney } from './decide-late-money.js';
import { tellOrder } from './tell-order.js';

/**
 * Stores an event of a provider, lets it take effect, and tells Redis. An event that comes again does nothing.
 *
 * @param ctx the stores
 * @param job the event, its signature checked, and whose it is
 * @throws NotVerified, and what the stores throw: then do it again; what Redis was not told, reconcile tells it
 */
export async function takePaymentEvent(ctx: StepContext, { provider, event }: JobData<'payment-event'>): Promise<void> {
  const applied = await crashStep('event.apply', () => applyEvent(ctx.db, provider, event));
  await crashPoint('event.applied');
  await follow(ctx, applied);
}

/**
 * Lets what a provider answered take effect, and tells Redis.
 *
 * @param ctx the stores
 * @param provider who answered
 * @param report the answer
 * @throws NotVerified, and what the stores throw: then ask again
 */
export async function takePaymentAnswer(
  ctx: StepContext,
  provider: ProviderName,
  report: PaymentReport,
): Promise<void> {
  await follow(ctx, await crashStep('ask.apply', () => applyAnswer(ctx.db, provider, report)));
}

async function follow(ctx: StepContext, { outcome, payment }: AppliedReport): Promise<void> {
  paymentReported(outcome, payment?.orderId);
  if (!payment) return;
  if (outcome === 'late') return decideLateMoney(ctx, payment);
  if (outcome === 'failed' || (outcome === 'repeated' && payment.status === 'failed')) return tellFailed(ctx, payment);
  // What comes again tells Redis once more: whoever applied it first may have died before.
  if (outcome !== 'paid' && outcome !== 'repeated') return;
  if (outcome === 'paid') ordersPaid(1);
  await tell(ctx, payment);
}

/** The buyer may try again, elsewhere than where it failed. An event that comes again tells it once more: nobody else would. */
async function tellFailed(ctx: StepContext, payment: Payment): Promise<void> {
  const { saleId, orderId, payUrl } = payment;
  const shown = await readPayUrl(ctx.redis, saleId, orderId);
  // The next attempt is under way.
  if (shown !== undefined && shown !== payUrl) return;
  await dropPayUrl(ctx.redis, saleId, orderId);
  if (payment.payable) await tell(ctx, payment, 'payment_refused');
}

function tell(ctx: StepContext, payment: Payment, reason: OrderReason | null = null): Promise<void> {
  const { saleId, orderId: claimId, buyerId } = payment;
  return crashStep('event.record', () => tellOrder(ctx, saleId, { claimId, buyerId }, reason));
}
