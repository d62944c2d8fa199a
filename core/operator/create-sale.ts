import type { Database } from '../postgres/database.js';
import { insertShopAccounts } from '../postgres/money/wallet.js';
import { insertSale } from '../postgres/sales.js';
import { openSale } from '../redis/sale/open-sale.js';
import type { Shards } from '../redis/shards.js';
import type { Sale } from '../rules/sale.js';

/**
 * The settings of a sale to create. Its state and its generation, which counts the operator's changes, begin with fixed
 * values.
 */
export type NewSale = Omit<Sale, 'state' | 'generation'>;

/**
 * Creates a sale: the shop's money accounts, the row in Postgres, the units in Redis. If this is cut off after the row
 * is written, reconcile loads the sale into Redis.
 *
 * @returns false when a sale with this id exists: then the sale stays unchanged
 * @throws the stores' errors
 */
export async function createSale(stores: { db: Database; redis: Shards }, sale: NewSale): Promise<boolean> {
  await insertShopAccounts(stores.db, sale.currency);
  if (!(await insertSale(stores.db, sale))) return false;
  // Loading the sale is a no-op when reconcile has loaded it from Postgres first.
  await openSale(stores.redis, { ...sale, state: 'open', generation: 1 });
  return true;
}
