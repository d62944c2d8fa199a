import type { CreatedPayment } from '../payments/provider.js';
import { createWallet } from '../payments/wallet.js';
import { type Payment, readLatestPayment, requestPayment } from '../postgres/money/payment.js';
import { markOpen, markRefused } from '../postgres/money/payment-change.js';
import { readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersPaid } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import { dropPayClick, readClickTimes } from '../redis/claims/pay-click.js';
import { dropPayUrl, setPayUrl } from '../redis/claims/pay-url.js';
import type { OrderReason, OrderToPay } from '../rules/order.js';
import { providerOf, type StepContext } from './context.js';
import { tellOrder } from './tell-order.js';

/**
 * Pays an order from its buyer's wallet, or creates a payment at the sale's provider. Redis then shows the new status
 * or the address at which to pay. A click of the buyer that came in time counts, however late this runs. Idempotent.
 *
 * @throws NotVerified and the errors of stores and provider: the job is retried
 */
export async function payOrder(ctx: StepContext, { saleId, claimId, buyerId }: JobData<'pay-order'>): Promise<void> {
  const [sale, clicks] = await Promise.all([
    readSale(ctx.db, saleId),
    readClickTimes(ctx.redis, saleId, [{ claimId, buyerId }]),
  ]);
  if (!sale) return;
  const [clickedAtMs] = clicks.clickedAtMs;
  const order = { orderId: claimId, buyerId, clickedAtMs };
  const payment = await crashStep('pay.capture', () =>
    sale.provider === 'wallet' ? createWallet(ctx.db).create(order) : payElsewhere(ctx, order),
  );
  await crashPoint('pay.captured');
  if (payment.kind === 'settled') ordersPaid(1);
  const reason = await reasonToShow(ctx, payment, { saleId, ...order });
  await crashStep('pay.record', () => tellOrder(ctx, { saleId, claimId, buyerId, reason }));
  // Only now is the click dealt with. Until then, rescue and expiry find it.
  if (clickedAtMs === undefined) return;
  await crashStep('pay.drop', () => dropPayClick(ctx.redis, saleId, { claimId, buyerId, clickedAtMs }));
}

/** Stores the address of an open payment, and returns the reason that the buyer sees if the payment failed. */
async function reasonToShow(
  ctx: StepContext,
  payment: CreatedPayment,
  { saleId, ...order }: OrderToPay & { saleId: string },
): Promise<OrderReason | null> {
  if (payment.kind === 'open') return showPayUrl(ctx, saleId, { ...order, payUrl: payment.payUrl });
  return payment.kind === 'refused' ? payment.reason : null;
}

/**
 * Shows the buyer the address at which to pay. If that payment has failed meanwhile, the address is removed again: the
 * event of the failure came before the address.
 *
 * @returns the reason to show when that payment has failed, otherwise null
 * @throws the stores' errors: the caller retries
 */
export async function showPayUrl(
  ctx: StepContext,
  saleId: string,
  { orderId, buyerId, payUrl }: OrderToPay & { payUrl: string },
): Promise<OrderReason | null> {
  await setPayUrl(ctx.redis, saleId, { claimId: orderId, payUrl });
  const latest = await readLatestPayment(ctx.db, orderId, buyerId);
  if (latest?.status !== 'failed' || latest.payUrl !== payUrl) return null;
  await dropPayUrl(ctx.redis, saleId, orderId);
  return 'payment_refused';
}

/**
 * Creates a payment at the sale's provider, or returns the one that is open. Postgres records the payment before the
 * call. If the call is lost, the actor ask-providers asks for that payment.
 */
async function payElsewhere(ctx: StepContext, order: OrderToPay): Promise<CreatedPayment> {
  const payment = await requestPayment(ctx.db, order);
  await crashPoint('pay.requested');
  if (!payment?.payable) return { kind: 'not_payable' };
  // The last attempt has failed, and no other is allowed.
  if (payment.status !== 'requested' && payment.status !== 'open')
    return { kind: 'refused', reason: 'payment_refused' };
  if (payment.payUrl !== null && payment.paymentId !== null) {
    return { kind: 'open', paymentId: payment.paymentId, payUrl: payment.payUrl };
  }
  return createPayment(ctx, payment);
}

/**
 * Creates a payment at its provider and records the outcome in Postgres. Idempotent: the provider creates the payment
 * once.
 *
 * @param payment a payment in status `requested`
 * @throws the errors of stores and provider: the caller retries
 */
export async function createPayment(ctx: StepContext, payment: Payment): Promise<CreatedPayment> {
  const created = await crashStep('pay.create', () => providerOf(ctx, payment.provider).create(payment));
  if (created.kind === 'refused') await markRefused(ctx.db, payment.id);
  if (created.kind !== 'open') return created;
  const { paymentId, payUrl } = created;
  const status = await crashStep('pay.open', () => markOpen(ctx.db, payment.id, { paymentId, payUrl }));
  return status === 'failed' ? { kind: 'refused', reason: 'payment_refused' } : created;
}
