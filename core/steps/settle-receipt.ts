import { readOrders } from '../postgres/orders/order-row.js';
import type { JobData } from '../queue/jobs.js';
import { restoreClaim } from '../redis/claims/restore.js';
import { claimOf } from '../rules/order.js';
import type { StepContext } from './context.js';
import { giveUp } from './give-up.js';
import { releaseUnits } from './release-units.js';

/**
 * Decides about a claim that Redis has lost and whose unit is taken, and tells its buyer. A job may be about to place
 * the claim, so its id decides: either its order exists, or a tombstone keeps it from ever being placed. Idempotent.
 *
 * @param job the claim as its receipt states it
 * @throws NotVerified and the stores' errors: retry; the next question of the buyer retries too
 */
export async function settleReceipt(ctx: StepContext, { saleId, ...claim }: JobData<'settle-receipt'>): Promise<void> {
  await releaseUnits(ctx, await giveUp(ctx, { saleId, claims: [claim], why: 'lost' }));
  const [order] = await readOrders(ctx.db, [claim.claimId]);
  if (!order) return;
  // If the unit of this order belongs to another claim in Redis, reconcile repairs that: Postgres is right.
  await restoreClaim(ctx.redis, saleId, claimOf(order));
}
