import { expireRows, type OverdueOrder, readOverdue } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersExpired } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import { readClickTimes } from '../redis/claims/pay-click.js';
import { bySale } from '../values/by-sale.js';
import { fewAtOnce, inTurn } from '../values/in-turn.js';
import type { StepContext } from './context.js';
import { takeClick } from './pay-order.js';
import { releaseUnits } from './release-units.js';

/** The most orders cancelled by one statement and released by one script, which take a few ms each. */
const EXPIRE_BATCH_MAX = 500;

/** Batches that are cancelled at the same time. Each waits for Postgres and for Redis in turn, and the next one uses the time. */
export const EXPIRE_BATCHES = 3;

/**
 * Cancels orders that were not paid in time, by Postgres's clock, and releases their units. An order that its buyer
 * asked to pay in time is paid first, even if the queue of payments stands still. A sale that Redis cannot serve does
 * not hold up other sales; its orders wait for Redis, which has the clicks. Idempotent.
 *
 * @param job the `claimIds` of the orders to check; without them, every overdue order
 * @returns the number of orders cancelled
 * @throws Failures with NotVerified and the stores' errors: the caller retries
 */
export async function expireOrders(
  ctx: StepContext,
  { claimIds }: Partial<JobData<'expire-orders'>> = {},
): Promise<number> {
  let expired = 0;
  const expireOne = async ([saleId, orders]: [string, OverdueOrder[]]) => {
    const count = await expireSale(ctx, saleId, orders);
    expired += count;
  };
  await fewAtOnce(EXPIRE_BATCHES, overdueBatches(ctx, claimIds), orders =>
    inTurn(bySale(orders), expireOne, ([saleId]) => `sale ${saleId}`),
  );
  return expired;
}

async function* overdueBatches(ctx: StepContext, claimIds?: string[]): AsyncGenerator<OverdueOrder[]> {
  let after: OverdueOrder | undefined;
  for (;;) {
    const orders = await readOverdue(ctx.db, { limit: EXPIRE_BATCH_MAX, claimIds, after });
    if (orders.length > 0) yield orders;
    if (orders.length < EXPIRE_BATCH_MAX) return;
    after = orders.at(-1);
  }
}

/** Cancels overdue orders of one sale, those that their buyers asked to pay in time only if they cannot be paid. */
async function expireSale(ctx: StepContext, saleId: string, orders: OverdueOrder[]): Promise<number> {
  const { clickedAtMs, readAtMs } = await readClickTimes(ctx.redis, saleId, orders);
  // Before Redis's clock has reached the deadline, too, a click may still come in time.
  const mayBeClicked = orders.map((order, i) => clickedAtMs[i] !== undefined || readAtMs < order.payByMs);
  let expired = await cancelAll(
    ctx,
    orders.filter((_, i) => !mayBeClicked[i]),
  );
  const clicked = orders.filter((_, i) => clickedAtMs[i] !== undefined);
  const takeOrCancel = async (order: OverdueOrder) => {
    await takeClick(ctx, order);
    expired += await cancelAll(ctx, [order]);
  };
  await inTurn(clicked, takeOrCancel, ({ claimId }) => `order ${claimId}`);
  return expired;
}

/** Cancels those orders that are still overdue by the deadline that was read, and releases their units. */
async function cancelAll(ctx: StepContext, orders: OverdueOrder[]): Promise<number> {
  if (orders.length === 0) return 0;
  const releases = await crashStep('expire.end', () => expireRows(ctx.db, orders));
  await crashPoint('expire.ended');
  ordersExpired(releases.length);
  await releaseUnits(ctx, releases);
  return releases.length;
}
