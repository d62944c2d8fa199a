import { readOrders } from '../postgres/orders/order-row.js';
import type { JobData } from '../queue/jobs.js';
import { restoreClaim } from '../redis/claims/restore.js';
import { claimOf } from '../rules/order.js';
import type { StepContext } from './context.js';
import { giveUp } from './give-up.js';
import { releaseUnits } from './release-units.js';

/**
 * Decides what became of a claim that Redis has lost and whose unit is not free any more, and has its buyer told. A job may still
 * be about to place it, so the claim's id decides: either its order is there already, or a tombstone keeps it from ever being
 * placed. Safe to repeat.
 *
 * @param ctx the stores
 * @param job the claim as its buyer's receipt has it, and its sale
 * @throws NotVerified, and what the stores throw: then do it again; the buyer who asks again has it done, too
 */
export async function settleReceipt(ctx: StepContext, { saleId, ...claim }: JobData<'settle-receipt'>): Promise<void> {
  await releaseUnits(ctx, await giveUp(ctx, saleId, [claim], 'lost'));
  const [order] = await readOrders(ctx.db, [claim.claimId]);
  if (!order) return;
  // An order whose unit is another's in Redis is left to reconcile: Postgres is right.
  await restoreClaim(ctx.redis, saleId, claimOf(order));
}
