import { readReleases } from '../postgres/deliveries/releases.js';
import { payAfterAll, payWithLateMoney, refundLateMoney } from '../postgres/money/late-money.js';
import type { Payment } from '../postgres/money/payment.js';
import { insertTombstones } from '../postgres/orders/end-orders.js';
import { readOrders } from '../postgres/orders/order-row.js';
import { hasLeftRedis, readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { lateMoneyDecided } from '../process/money-telemetry.js';
import { ordersPaid, ordersPlaced } from '../process/telemetry.js';
import { regrab } from '../redis/claims/regrab.js';
import { setReason } from '../redis/claims/status.js';
import type { StepContext } from './context.js';
import { expireOrders } from './expire-orders.js';
import { releaseUnits } from './release-units.js';
import { tellOrder } from './tell-order.js';

/**
 * Decides about late money, which is a payment that arrived after its order had ended. The money buys a unit again if
 * one is free and the sale allows it; otherwise it is refunded. If the order can be paid after all, the money pays it.
 * Idempotent: the payment already names the new claim's id, so the first decision counts.
 *
 * @param payment a payment in status `late`
 * @throws NotVerified and the stores' errors: the payment stays `late`, and the actor finish-payments retries
 */
export async function decideLateMoney(ctx: StepContext, payment: Payment): Promise<void> {
  // The order may be overdue without being cancelled yet. Then it is cancelled first.
  await expireOrders(ctx, { claimIds: [payment.orderId] });
  const sale = await readSale(ctx.db, payment.saleId);
  const [order] = await readOrders(ctx.db, [payment.orderId]);
  // An operator has moved the deadline, so the money came in time.
  if (order?.status === 'pending_payment' && (await payOwnOrder(ctx, payment))) return;
  // Another attempt has paid for the order, so this payment has nothing left to buy.
  const isSurplus = order?.status === 'paid' || order?.status === 'refunded';
  // Somebody has begun to return the money, so it buys nothing any more.
  const isGoingBack = payment.money.returnedMinor > 0;
  // Providers report payments at any time, even after the sale was removed from Redis.
  const isOver = await hasLeftRedis(ctx.db, payment.saleId);
  if (isSurplus || isGoingBack || isOver || sale?.lateMoney === 'refund') return giveBack(ctx, payment);
  const { buyerId, orderId: endedClaimId, regrabClaimId: claimId } = payment;
  const wish = { buyerId, endedClaimId, claimId };
  const taken = await crashStep('late.regrab', () => regrab(ctx.redis, payment.saleId, wish));
  await crashPoint('late.regrabbed');
  // Redis has not released the ended claim yet, and a buyer cannot have two claims. So the release comes first, and the
  // payment is decided later.
  if (taken.kind === 'not_released') return releaseUnits(ctx, await readReleases(ctx.db, [endedClaimId]));
  if (taken.kind !== 'taken') return giveBack(ctx, payment);
  const claim = { ...taken, buyerId, claimId };
  if (!(await crashStep('late.pay', () => payWithLateMoney(ctx.db, payment, claim)))) {
    await releaseUnits(
      ctx,
      await insertTombstones(ctx.db, { saleId: payment.saleId, claims: [claim], reason: 'lost' }),
    );
    await tellOrder(ctx, { saleId: payment.saleId, ...claim });
    return giveBack(ctx, payment);
  }
  ordersPlaced(1);
  ordersPaid(1);
  lateMoneyDecided('regrabbed', payment.orderId);
  await tellOrder(ctx, { saleId: payment.saleId, ...claim });
}

async function payOwnOrder(ctx: StepContext, payment: Payment): Promise<boolean> {
  if (!(await crashStep('late.pay', () => payAfterAll(ctx.db, payment)))) return false;
  const { saleId, orderId: claimId, buyerId } = payment;
  ordersPaid(1);
  lateMoneyDecided('paid', claimId);
  await tellOrder(ctx, { saleId, claimId, buyerId });
  return true;
}

async function giveBack(ctx: StepContext, payment: Payment): Promise<void> {
  if (await crashStep('late.refund', () => refundLateMoney(ctx.db, payment))) {
    lateMoneyDecided('refunded', payment.orderId);
  }
  await tellRefunded(ctx, payment);
}

/**
 * Records on the buyer's ended claim in Redis that the late payment is refunded. A newer claim of the buyer stays
 * untouched.
 *
 * @throws NotVerified and Redis's errors: the caller retries
 */
export async function tellRefunded(ctx: StepContext, { saleId, buyerId, orderId }: Payment): Promise<void> {
  const [order] = await readOrders(ctx.db, [orderId]);
  if (order?.reason !== 'refunded_late_payment' || (await hasLeftRedis(ctx.db, saleId))) return;
  await setReason(ctx.redis, saleId, { buyerId, claimId: orderId, reason: order.reason });
}
