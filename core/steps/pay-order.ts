import type { CreatedPayment, OrderToPay } from '../payments/provider.js';
import { wallet } from '../payments/wallet.js';
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
 * Has an order paid: from its buyer's wallet at once, or at the sale's provider, where the buyer is sent. Tells Redis. Safe to repeat.
 *
 * @param ctx the stores and the providers
 * @param job the order, and its buyer
 * @throws NotVerified, and what the stores and the provider throw: then do it again
 */
export async function payOrder(ctx: StepContext, { saleId, claimId, buyerId }: JobData<'pay-order'>): Promise<void> {
  const sale = await readSale(ctx.db, saleId);
  if (!sale) return;
  const order = { orderId: claimId, buyerId };
  const payment = await crashStep('pay.capture', () =>
    sale.provider === 'wallet' ? wallet(ctx.db).create(order) : payElsewhere(ctx, order),
  );
  await crashPoint('pay.captured');
  const tell = (reason: OrderReason | null = null) =>
    crashStep('pay.record', () => tellOrder(ctx, saleId, { claimId, buyerId }, reason));
  switch (payment.kind) {
    case 'settled':
      ordersPaid(1);
      return tell();
    case 'open':
      return tell(await showPayUrl(ctx, saleId, order, payment.payUrl));
    case 'refused':
      return tell(payment.reason);
    case 'not_payable': {
      // A click after the deadline is answered by the truth, at once: the order has expired.
      const expired = await expireOrders(ctx, { claimIds: [claimId] });
      return expired > 0 ? undefined : tell();
    }
  }
}

/**
 * Shows a buyer where to pay, unless that has failed meanwhile: whoever took that event could not know that it would be shown after.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param order the order
 * @param payUrl where it is paid
 * @returns what else the buyer is to be told, or null
 * @throws what the stores throw: then do it again
 */
export async function showPayUrl(
  ctx: StepContext,
  saleId: string,
  { orderId, buyerId }: OrderToPay,
  payUrl: string,
): Promise<OrderReason | null> {
  await setPayUrl(ctx.redis, saleId, orderId, payUrl);
  const latest = await readLatestPayment(ctx.db, orderId, buyerId);
  if (latest?.status !== 'failed' || latest.payUrl !== payUrl) return null;
  await dropPayUrl(ctx.redis, saleId, orderId);
  return 'payment_refused';
}

/** Our books first, then the provider: whatever becomes of the call, ask-providers knows that there may be a payment. */
async function payElsewhere(ctx: StepContext, { orderId, buyerId }: OrderToPay): Promise<CreatedPayment> {
  const payment = await requestPayment(ctx.db, orderId, buyerId);
  await crashPoint('pay.requested');
  if (!payment?.payable) return { kind: 'not_payable' };
  // The last attempt that there is has failed.
  if (payment.status !== 'requested' && payment.status !== 'open')
    return { kind: 'refused', reason: 'payment_refused' };
  if (payment.payUrl !== null && payment.paymentId !== null) {
    return { kind: 'open', paymentId: payment.paymentId, payUrl: payment.payUrl };
  }
  return createPayment(ctx, payment);
}

/**
 * Makes a payment at its provider, and writes down what came of it. Safe to repeat: the provider makes it once.
 *
 * @param ctx the stores and the providers
 * @param payment a payment that was requested
 * @returns what came of it
 * @throws what the stores and the provider throw: then do it again
 */
export async function createPayment(ctx: StepContext, payment: Payment): Promise<CreatedPayment> {
  const created = await crashStep('pay.create', () => providerOf(ctx, payment.provider).create(payment));
  if (created.kind === 'refused') await markRefused(ctx.db, payment.id);
  if (created.kind !== 'open') return created;
  const { paymentId, payUrl } = created;
  const status = await crashStep('pay.open', () => markOpen(ctx.db, payment.id, paymentId, payUrl));
  return status === 'failed' ? { kind: 'refused', reason: 'payment_refused' } : created;
}
