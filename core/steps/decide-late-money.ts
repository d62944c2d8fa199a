import { readReleases } from '../postgres/deliveries/releases.js';
import { payWithLateMoney, refundLateMoney } from '../postgres/money/late-money.js';
import type { Payment } from '../postgres/money/payment.js';
import { insertTombstones } from '../postgres/orders/end-orders.js';
import { readOrders } from '../postgres/orders/order-row.js';
import { hasLeftRedis, readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { lateMoneyDecided, ordersPaid, ordersPlaced } from '../process/telemetry.js';
import { regrab } from '../redis/claims/regrab.js';
import { setReason } from '../redis/claims/status.js';
import type { StepContext } from './context.js';
import { expireOrders } from './expire-orders.js';
import { releaseUnits } from './release-units.js';
import { tellOrder } from './tell-order.js';

/**
 * Decides what becomes of money that came after its order had ended: a unit is taken again if one is free and the sale allows it,
 * else the money goes back. Safe to repeat at any point: the new claim's id is the payment's, and whoever decides first has decided.
 *
 * @param ctx the stores
 * @param payment the payment, `late`
 * @throws NotVerified, and what the stores throw: the money stays `late`, and finish-payments does it again
 */
export async function decideLateMoney(ctx: StepContext, payment: Payment): Promise<void> {
  // Its deadline has passed and nobody has noticed yet: the order ends first.
  await expireOrders(ctx, { claimIds: [payment.orderId] });
  const sale = await readSale(ctx.db, payment.saleId);
  const [order] = await readOrders(ctx.db, [payment.orderId]);
  // Another attempt has paid for it: there is nothing left to buy.
  const isSurplus = order?.status === 'paid' || order?.status === 'refunded';
  // An event is heard at any time, also when Redis has forgotten the sale.
  const isOver = await hasLeftRedis(ctx.db, payment.saleId);
  if (isSurplus || isOver || sale?.lateMoney === 'refund') return giveBack(ctx, payment);
  const { buyerId, orderId: endedClaimId, regrabClaimId: claimId } = payment;
  const wish = { buyerId, endedClaimId, claimId };
  const taken = await crashStep('late.regrab', () => regrab(ctx.redis, payment.saleId, wish));
  await crashPoint('late.regrabbed');
  // The release is under way: without it the buyer can't have a second claim.
  if (taken.kind === 'not_released') return releaseUnits(ctx, await readReleases(ctx.db, [endedClaimId]));
  if (taken.kind !== 'taken') return giveBack(ctx, payment);
  const claim = { buyerId, claimId, unit: taken.unit };
  if (!(await crashStep('late.pay', () => payWithLateMoney(ctx.db, payment, claim)))) {
    await releaseUnits(ctx, await insertTombstones(ctx.db, payment.saleId, [claim], 'lost'));
    await tellOrder(ctx, payment.saleId, claim);
    return giveBack(ctx, payment);
  }
  ordersPlaced(1);
  ordersPaid(1);
  lateMoneyDecided('regrabbed', payment.orderId);
  await tellOrder(ctx, payment.saleId, claim);
}

async function giveBack(ctx: StepContext, payment: Payment): Promise<void> {
  if (await crashStep('late.refund', () => refundLateMoney(ctx.db, payment))) {
    lateMoneyDecided('refunded', payment.orderId);
  }
  await tellRefunded(ctx, payment);
}

/**
 * Tells the buyer that their money goes back, if nothing newer is to be told.
 *
 * @param ctx the stores
 * @param payment whose money came late
 * @throws NotVerified, and what Redis throws: tell it again
 */
export async function tellRefunded(ctx: StepContext, { saleId, buyerId, orderId }: Payment): Promise<void> {
  const [order] = await readOrders(ctx.db, [orderId]);
  if (order?.reason !== 'refunded_late_payment' || (await hasLeftRedis(ctx.db, saleId))) return;
  await setReason(ctx.redis, saleId, { buyerId, claimId: orderId }, order.reason);
}
