import { expireRows, type OverdueOrder, readOverdue } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersExpired } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import { readClickTimes } from '../redis/claims/pay-click.js';
import type { StepContext } from './context.js';
import { inTurn } from './in-turn.js';
import { payOrder } from './pay-order.js';
import { releaseUnits } from './release-units.js';

/** The most orders cancelled by one statement and released by one script, which take a few ms each. */
const EXPIRE_BATCH_MAX = 500;

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
  await inTurn(overdueBatches(ctx, claimIds), async orders => {
    const due: string[] = [];
    const expire = async () => {
      if (due.length === 0) return;
      const releases = await crashStep('expire.end', () => expireRows(ctx.db, due));
      await crashPoint('expire.ended');
      expired += releases.length;
      ordersExpired(releases.length);
      await releaseUnits(ctx, releases);
    };
    const take = () =>
      inTurn(
        bySale(orders),
        ofSale => takePayments(ctx, ofSale, due),
        ([order]) => `sale ${order?.saleId}`,
      );
    await inTurn([take, expire], half => half());
  });
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

function* bySale(orders: OverdueOrder[]): Generator<OverdueOrder[]> {
  for (const saleId of new Set(orders.map(order => order.saleId)))
    yield orders.filter(order => order.saleId === saleId);
}

/**
 * Takes the payments that buyers of overdue orders asked for in time. The statement that cancels orders skips those that
 * are paid by this, or can be paid a little longer.
 *
 * @param orders of one sale
 * @param due receives the orders that may be cancelled: nobody asked to pay them, or the payment is decided
 */
async function takePayments(ctx: StepContext, orders: OverdueOrder[], due: string[]): Promise<void> {
  const saleId = orders[0]?.saleId ?? '';
  const { clickedAtMs, readAtMs } = await readClickTimes(ctx.redis, saleId, orders);
  const take = async ([i, order]: [number, OverdueOrder]) => {
    // Redis's clock has not reached the deadline, so a click may still come in time.
    if (readAtMs < order.payByMs) return;
    if (clickedAtMs[i] !== undefined) await payOrder(ctx, order);
    due.push(order.claimId);
  };
  await inTurn(orders.entries(), take, ([, { claimId }]) => `order ${claimId}`);
}
