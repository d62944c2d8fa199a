import { closeDeliveries, pruneDeliveries } from '../postgres/deliveries/prune.js';
import { KEEP_DAYS, readLongOver } from '../postgres/sales.js';
import { readLoadedSaleIds } from '../redis/registry.js';
import { dropSale } from '../redis/sale/sale.js';
import type { StepContext } from '../steps/context.js';

/**
 * Takes what nobody needs any more: sales from Redis that ended {@link KEEP_DAYS} days ago (Postgres keeps their orders), their
 * releases, and what the shop was told as long ago.
 *
 * @param ctx the stores
 * @returns how many sales left Redis
 */
export async function prune(ctx: StepContext): Promise<number> {
  // A sale that Postgres doesn't know stays: the database may be another one than we think.
  const over = await readLongOver(ctx.db, await readLoadedSaleIds(ctx.redis));
  for (const saleId of over) await dropSale(ctx.redis, saleId);
  await closeDeliveries(ctx.db);
  await pruneDeliveries(ctx.db);
  return over.length;
}
