import { closeDeliveries, pruneDeliveries } from '../postgres/deliveries/prune.js';
import { pruneRevokedSessions } from '../postgres/revoked-sessions.js';
import { KEEP_DAYS, readLongOver } from '../postgres/sales.js';
import type { Redis } from '../redis/connection.js';
import { readLoadedSaleIds } from '../redis/registry.js';
import { dropSale } from '../redis/sale/sale.js';
import type { StepContext } from '../steps/context.js';
import { inTurn } from '../values/in-turn.js';

/**
 * Removes data that nobody needs after {@link KEEP_DAYS} days: ended sales from Redis, old releases and shop notices
 * from Postgres. Postgres keeps the orders. Also removes revocations of operators' sessions that have ended anyway.
 *
 * @returns the number of sales removed from Redis
 * @throws Failures with every error: each part is tried, whatever happens to the others
 */
export async function prune(ctx: StepContext): Promise<number> {
  let dropped = 0;
  const dropLongOver = async (server: Redis) => {
    // A sale in Redis that Postgres does not know stays, because this process may use the wrong database.
    const over = await readLongOver(ctx.db, await readLoadedSaleIds(server));
    for (const saleId of over) await dropSale(server, saleId);
    dropped += over.length;
  };
  const pruneRedis = () => inTurn(ctx.redis.shards, dropLongOver);
  const prunePostgres = [closeDeliveries, pruneDeliveries, pruneRevokedSessions].map(
    one => async () => void (await one(ctx.db)),
  );
  await inTurn([pruneRedis, ...prunePostgres], step => step());
  return dropped;
}
