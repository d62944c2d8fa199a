import { readOrders } from '../postgres/orders/order-row.js';
import { readLatestOrders } from '../postgres/orders/sale-orders.js';
import { readSale } from '../postgres/sales.js';
import type { JobData } from '../queue/jobs.js';
import { restoreClaim } from '../redis/claims/restore.js';
import { claimOf } from '../rules/order.js';
import type { StepContext } from './context.js';
import { giveUp } from './give-up.js';
import { releaseUnits } from './release-units.js';

/**
 * Decides about a claim that Redis has lost and cannot restore, though its buyer shows the receipt. A job may be about
 * to place the claim. So Postgres decides by its id: either its order exists, or a tombstone keeps it from ever being
 * placed. Redis then shows the outcome. Idempotent.
 *
 * @param job the claim as its receipt states it
 * @throws NotVerified and the stores' errors: the job is retried; the buyer's next request queues it again
 */
export async function settleReceipt(ctx: StepContext, { saleId, ...claim }: JobData<'settle-receipt'>): Promise<void> {
  await releaseUnits(ctx, await giveUp(ctx, { saleId, claims: [claim], why: 'lost' }));
  const [order] = await readOrders(ctx.db, [claim.claimId]);
  if (!order) return;
  // If another claim in Redis has the unit of this order, reconcile repairs Redis: Postgres is right.
  const sale = await readSale(ctx.db, saleId);
  const [latest] = sale ? await readLatestOrders(ctx.db, sale, [claim.buyerId]) : [];
  await restoreClaim(ctx.redis, saleId, { ...claimOf(order), ...(latest?.strikes && { strikes: latest.strikes }) });
}
