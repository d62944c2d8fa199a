import type { Database } from '../postgres/database.js';
import { newDraw, type ValueSources } from '../postgres/draws/draws.js';
import { insertShopAccounts } from '../postgres/money/wallet.js';
import { insertSale } from '../postgres/sales.js';
import { newLine } from '../redis/draw/entries.js';
import { openSale } from '../redis/sale/open-sale.js';
import type { Shards } from '../redis/shards.js';
import type { Sale } from '../rules/sale.js';
import { publishDraw } from '../steps/line/publish.js';

/**
 * The settings of a sale to create. Its state and its generation, which counts the operator's changes, begin with fixed
 * values.
 */
export type NewSale = Omit<Sale, 'state' | 'generation'>;

/**
 * Creates a sale: the shop's money accounts, the row in Postgres, the units in Redis. If this is cut off after the row
 * is written, reconcile loads the sale into Redis.
 *
 * @param sources the public values of a sale whose line gets its order by lots
 * @returns false when a sale with this id exists: then the sale stays unchanged
 * @throws the stores' errors
 */
export async function createSale(
  stores: { db: Database; redis: Shards },
  sale: NewSale,
  sources: ValueSources = {},
): Promise<boolean> {
  const draw = sale.opening === 'rush' ? undefined : newDraw(sources);
  await insertShopAccounts(stores.db, sale.currency);
  if (!(await insertSale(stores.db, sale, draw))) return false;
  // Loading the sale is a no-op when reconcile has loaded it from Postgres first.
  const line = draw && newLine(draw.saltKey);
  await openSale(stores.redis, { ...sale, state: 'open', generation: 1 }, { line });
  if (draw) await publishDraw(stores, sale.id);
  return true;
}
