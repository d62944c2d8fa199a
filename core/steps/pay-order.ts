import type { CreatedPayment, OrderToPay } from '../payments/provider.js';
import { createWallet } from '../payments/wallet.js';
import { markOpen, markRefused, type Payment, readLatestPayment, requestPayment } from '../postgres/money/payment.js';
import { readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersPaid } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import { dropPayUrl, setPayUrl } from '../redis/claims/pay-url.js';
import type { OrderReason } from '../rules/order.js';
import { providerOf, type StepContext } from './context.js';
import { expireOrders } from './expire-orders.js';
import { tellOrder } from './tell-order.js';

/**
 * Pays an order from its buyer's createWallet, or sends the buyer to the sale's provider, and tells Redis. Idempotent.
 *
 * @throws NotVerified and the errors of stores and provider: retry
 */
export async function payOrder(ctx: StepContext, { saleId, claimId, buyerId }: JobData<'pay-order'>): Promise<void> {
  const sale = await readSale(ctx.db, saleId);
  if (!sale) return;
  const order = { orderId: claimId, buyerId };
  const payment = await crashStep('pay.capture', () =>
    sale.provider === 'wallet' ? createWallet(ctx.db).create(order) : payElsewhere(ctx, order),
  );
  await crashPoint('pay.captured');
  const tell = (reason: OrderReason | null = null) =>
    crashStep('pay.record', () => tellOrder(ctx, { saleId, claimId, buyerId, reason }));
  switch (payment.kind) {
    case 'settled':
      ordersPaid(1);
      return tell();
    case 'open':
      return tell(await showPayUrl(ctx, saleId, { ...order, payUrl: payment.payUrl }));
    case 'refused':
      return tell(payment.reason);
    case 'not_payable': {
      // A click after the deadline gets the truth at once: the order has expired.
      const expired = await expireOrders(ctx, { claimIds: [claimId] });
      return expired > 0 ? undefined : tell();
    }
  }
}

/**
 * Shows the buyer where to pay, unless that payment has failed meanwhile. The step for that event ran before there was
 * an address to remove.
 *
 * @returns the reason to show besides, or null
 * @throws the stores' errors: retry
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

/** Our books come first, then the provider. If the call is lost, ask-providers knows that a payment may exist. */
async function payElsewhere(ctx: StepContext, { orderId, buyerId }: OrderToPay): Promise<CreatedPayment> {
  const payment = await requestPayment(ctx.db, orderId, buyerId);
  await crashPoint('pay.requested');
  if (!payment?.payable) return { kind: 'not_payable' };
  // The last allowed attempt has failed.
  if (payment.status !== 'requested' && payment.status !== 'open')
    return { kind: 'refused', reason: 'payment_refused' };
  if (payment.payUrl !== null && payment.paymentId !== null) {
    return { kind: 'open', paymentId: payment.paymentId, payUrl: payment.payUrl };
  }
  return createPayment(ctx, payment);
}

/**
 * Creates a payment at its provider and records the outcome. Idempotent: the provider creates it once.
 *
 * @param payment a payment in status `requested`
 * @throws the errors of stores and provider: retry
 */
export async function createPayment(ctx: StepContext, payment: Payment): Promise<CreatedPayment> {
  const created = await crashStep('pay.create', () => providerOf(ctx, payment.provider).create(payment));
  if (created.kind === 'refused') await markRefused(ctx.db, payment.id);
  if (created.kind !== 'open') return created;
  const { paymentId, payUrl } = created;
  const status = await crashStep('pay.open', () => markOpen(ctx.db, payment.id, { paymentId, payUrl }));
  return status === 'failed' ? { kind: 'refused', reason: 'payment_refused' } : created;
}
