import { closeDeliveries, pruneDeliveries } from '../postgres/deliveries/prune.js';
import { pruneRevokedSessions } from '../postgres/revoked-sessions.js';
import { KEEP_DAYS, readLongOver } from '../postgres/sales.js';
import { readLoadedSaleIds } from '../redis/registry.js';
import { dropSale } from '../redis/sale/sale.js';
import type { StepContext } from '../steps/context.js';

/**
 * Removes data that nobody needs after {@link KEEP_DAYS} days: ended sales from Redis, old releases and shop notices
 * from Postgres. Postgres keeps the orders. Also removes revocations of operators' sessions that have ended anyway.
 *
 * @returns the number of sales removed from Redis
 */
export async function prune(ctx: StepContext): Promise<number> {
  // A sale in Redis that Postgres does not know stays, because this process may use the wrong database.
  const over = await readLongOver(ctx.db, await readLoadedSaleIds(ctx.redis));
  for (const saleId of over) await dropSale(ctx.redis, saleId);
  await closeDeliveries(ctx.db);
  await pruneDeliveries(ctx.db);
  await pruneRevokedSessions(ctx.db);
  return over.length;
}
