import type { Database } from '../postgres/database.js';
import { insertShopAccounts } from '../postgres/money/wallet.js';
import { insertSale } from '../postgres/sales.js';
import type { Redis } from '../redis/connection.js';
import { openSale, refuseRulesOnCluster } from '../redis/sale/open-sale.js';
import type { Sale } from '../rules/sale.js';

/** A sale that is about to be made. */
export type NewSale = Omit<Sale, 'state' | 'generation'>;

/**
 * Makes a sale: the accounts its payments need, its row in Postgres, its units in Redis. When this ends half-way, the sale
 * is in Postgres, and reconcile loads it into Redis.
 *
 * @param stores Postgres, and a connection with the scripts
 * @param sale the sale
 * @returns false when there is one with this id already; then nothing changed
 * @throws ConfigError for rules that a Redis Cluster can't keep; what the stores throw
 */
export async function createSale(stores: { db: Database; redis: Redis }, sale: NewSale): Promise<boolean> {
  await refuseRulesOnCluster(stores.redis, sale);
  await insertShopAccounts(stores.db, sale.currency);
  if (!(await insertSale(stores.db, sale))) return false;
  // Not opened when reconcile was quicker: then it is loaded all the same.
  await openSale(stores.redis, { ...sale, state: 'open', generation: 1 });
  return true;
}
