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
 * or the address at which to pay. Idempotent.
 *
 * @throws NotVerified and the errors of stores and provider: the job is retried
 */
export async function payOrder(ctx: StepContext, order: JobData<'pay-order'>): Promise<void> {
  const { payment } = await takeClick(ctx, order);
  if (payment) await openPayment(ctx, payment);
}

/** The result of a click to pay: whether it was the first to take the payment, and the payment at a provider. */
export interface TakenClick {
  isNew: boolean;
  payment?: Payment | undefined;
}

/**
 * Takes the payment that a buyer asked for: pays the order from the wallet, or records the payment for the provider. A
 * click in time counts, however late this runs. The provider is not called, so that slow providers hold up no other
 * orders: the actor ask-providers creates what is only recorded. Idempotent.
 *
 * @throws NotVerified and the stores' errors: the click is kept, and rescue or expiry takes it
 */
export async function takeClick(
  ctx: StepContext,
  { saleId, claimId, buyerId }: JobData<'pay-order'>,
): Promise<TakenClick> {
  const [sale, clicks] = await Promise.all([
    readSale(ctx.db, saleId),
    readClickTimes(ctx.redis, saleId, [{ claimId, buyerId }]),
  ]);
  if (!sale) return { isNew: false };
  const [clickedAtMs] = clicks.clickedAtMs;
  const order = { orderId: claimId, buyerId, clickedAtMs };
  const taken = await crashStep('pay.capture', () =>
    sale.provider === 'wallet' ? payFromWallet(ctx, saleId, order) : recordPayment(ctx, order),
  );
  // Only now is the click dealt with. Until then, rescue and expiry find it.
  if (clickedAtMs !== undefined) {
    await crashStep('pay.drop', () => dropPayClick(ctx.redis, saleId, { claimId, buyerId, clickedAtMs }));
  }
  return taken;
}

async function payFromWallet(ctx: StepContext, saleId: string, order: OrderToPay): Promise<TakenClick> {
  const payment = await createWallet(ctx.db).create(order);
  await crashPoint('pay.captured');
  if (payment.kind === 'settled') ordersPaid(1);
  const reason = payment.kind === 'refused' ? payment.reason : null;
  const { orderId: claimId, buyerId } = order;
  await crashStep('pay.record', () => tellOrder(ctx, { saleId, claimId, buyerId, reason }));
  return { isNew: payment.kind !== 'not_payable' };
}

async function recordPayment(ctx: StepContext, order: OrderToPay): Promise<TakenClick> {
  const payment = await requestPayment(ctx.db, order);
  await crashPoint('pay.requested');
  return { isNew: payment?.payable === true && payment.status === 'requested', payment };
}

/** Creates a recorded payment at its provider, unless it exists there, and shows the buyer the outcome. */
async function openPayment(ctx: StepContext, payment: Payment): Promise<void> {
  const { saleId, orderId, buyerId } = payment;
  const reason = await reasonToShow(ctx, payment, await openAtProvider(ctx, payment));
  await crashStep('pay.record', () => tellOrder(ctx, { saleId, claimId: orderId, buyerId, reason }));
}

/** Stores the address of an open payment, and returns the reason that the buyer sees if the payment failed. */
async function reasonToShow(
  ctx: StepContext,
  { saleId, orderId, buyerId }: Payment,
  created: CreatedPayment,
): Promise<OrderReason | null> {
  if (created.kind === 'open') return showPayUrl(ctx, saleId, { orderId, buyerId, payUrl: created.payUrl });
  return created.kind === 'refused' ? created.reason : null;
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

async function openAtProvider(ctx: StepContext, payment: Payment): Promise<CreatedPayment> {
  if (!payment.payable) return { kind: 'not_payable' };
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
