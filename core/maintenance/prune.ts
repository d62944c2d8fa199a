import { closeEvents, pruneEvents } from '../orders/release-event.js';
import { KEEP_DAYS, listRecentSales } from '../orders/sales.js';
import type { StepContext } from '../steps/context.js';
import { listLoadedSales } from '../stock/registry.js';
import { dropSale } from '../stock/sale.js';

/**
 * Takes what nobody needs any more: sales from Redis that ended {@link KEEP_DAYS} days ago (Postgres keeps their orders), their
 * releases, and what the shop was told as long ago.
 *
 * @param ctx the stores
 * @returns how many sales left Redis
 */
export async function prune(ctx: StepContext): Promise<number> {
  // Redis first: a sale that is created meanwhile is in Postgres before it is in Redis, and so is never taken for an old one.
  const loaded = await listLoadedSales(ctx.redis);
  const recent = new Set((await listRecentSales(ctx.db)).map(sale => sale.id));
  const over = loaded.filter(saleId => !recent.has(saleId));
  for (const saleId of over) await dropSale(ctx.redis, saleId);
  await closeEvents(ctx.db);
  await pruneEvents(ctx.db);
  return over.length;
}
