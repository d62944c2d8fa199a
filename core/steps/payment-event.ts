import type { Payment } from '../postgres/money/payment.js';
import { type AppliedReport, applyAnswer, applyEvent } from '../postgres/money/payment-report.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { paymentReported } from '../process/money-telemetry.js';
import { ordersPaid } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import { dropPayUrl, readPayUrl } from '../redis/claims/pay-url.js';
import type { OrderReason } from '../rules/order.js';
import type { PaymentReport } from '../rules/payment.js';
import type { ProviderName } from '../rules/sale.js';
import type { StepContext } from './context.js';
import { decideLateMoney } from './decide-late-money.js';
import { tellOrder } from './tell-order.js';

/**
 * Stores a payment provider's event, applies it to the order, and records the new status in Redis. A repeated event
 * changes nothing in Postgres.
 *
 * @param job the event, with its signature verified
 * @throws NotVerified and the stores' errors: the job is retried, and reconcile records statuses that Redis lacks
 */
export async function takePaymentEvent(ctx: StepContext, { provider, event }: JobData<'payment-event'>): Promise<void> {
  const applied = await crashStep('event.apply', () => applyEvent(ctx.db, provider, event));
  await crashPoint('event.applied');
  await follow(ctx, applied);
}

/**
 * Applies the answer of a provider that was asked about a payment, and records the new status in Redis.
 *
 * @throws NotVerified and the stores' errors: the provider is asked again later
 */
export async function takePaymentAnswer(
  ctx: StepContext,
  provider: ProviderName,
  report: PaymentReport,
): Promise<void> {
  await follow(ctx, await crashStep('ask.apply', () => applyAnswer(ctx.db, provider, report)));
}

/** Outcomes after which Redis must show the order as it is now. */
const TOLD = new Set(['paid', 'repeated', 'refunded_in_part', 'refunded_elsewhere']);

async function follow(ctx: StepContext, { outcome, payment, paysOrder }: AppliedReport): Promise<void> {
  paymentReported(outcome, payment?.orderId);
  if (!payment) return;
  if (outcome === 'late') return decideLateMoney(ctx, payment);
  if (outcome === 'failed' || (outcome === 'repeated' && payment.status === 'failed')) return tellFailed(ctx, payment);
  // A repeated event is recorded in Redis once more: the process that applied it first may have died before that.
  if (!TOLD.has(outcome)) return;
  if (paysOrder) ordersPaid(1);
  await tell(ctx, payment);
}

/**
 * Removes the address of a failed payment, so that the buyer can try again at another one. A repeated event does so
 * once more, as nothing else would.
 */
async function tellFailed(ctx: StepContext, payment: Payment): Promise<void> {
  const { saleId, orderId, payUrl } = payment;
  const shown = await readPayUrl(ctx.redis, saleId, orderId);
  // Redis already shows the address of the next attempt.
  if (shown !== undefined && shown !== payUrl) return;
  await dropPayUrl(ctx.redis, saleId, orderId);
  if (payment.payable) await tell(ctx, payment, 'payment_refused');
}

function tell(ctx: StepContext, payment: Payment, reason: OrderReason | null = null): Promise<void> {
  // A unit that was taken again for late money belongs to another order than the payment.
  const { saleId, bookedOrderId: claimId, buyerId } = payment;
  return crashStep('event.record', () => tellOrder(ctx, { saleId, claimId, buyerId, reason }));
}
