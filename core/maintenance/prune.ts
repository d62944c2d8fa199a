import { closeDeliveries, pruneDeliveries } from '../postgres/deliveries/prune.js';
import { KEEP_DAYS, readLongOver } from '../postgres/sales.js';
import { readLoadedSaleIds } from '../redis/registry.js';
import { dropSale } from '../redis/sale/sale.js';
import type { StepContext } from '../steps/context.js';

/**
 * Removes old data: from Redis the sales that ended {@link KEEP_DAYS} days ago (Postgres keeps their orders), and from
 * Postgres their releases and the delivered notices.
 *
 * @returns the number of sales removed from Redis
 */
export async function prune(ctx: StepContext): Promise<number> {
  // A sale that Postgres does not know stays, because the database may be the wrong one.
  const over = await readLongOver(ctx.db, await readLoadedSaleIds(ctx.redis));
  for (const saleId of over) await dropSale(ctx.redis, saleId);
  await closeDeliveries(ctx.db);
  await pruneDeliveries(ctx.db);
  return over.length;
}
