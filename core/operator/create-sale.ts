import type { Database } from '../postgres/database.js';
import { insertShopAccounts } from '../postgres/money/wallet.js';
import { insertSale } from '../postgres/sales.js';
import type { Redis } from '../redis/connection.js';
import { openSale, refuseRulesOnCluster } from '../redis/sale/open-sale.js';
import type { Sale } from '../rules/sale.js';

/** A sale to create. */
export type NewSale = Omit<Sale, 'state' | 'generation'>;

/**
 * Creates a sale: the shop's accounts, the row in Postgres, the units in Redis. If this is cut off, the sale is in
 * Postgres, and reconcile loads it into Redis.
 *
 * @returns false when a sale with this id exists: then nothing changed
 * @throws ConfigError for rules that a Redis Cluster cannot keep; the stores' errors
 */
export async function createSale(stores: { db: Database; redis: Redis }, sale: NewSale): Promise<boolean> {
  await refuseRulesOnCluster(stores.redis, sale);
  await insertShopAccounts(stores.db, sale.currency);
  if (!(await insertSale(stores.db, sale))) return false;
  // A no-op when reconcile has loaded the sale first.
  await openSale(stores.redis, { ...sale, state: 'open', generation: 1 });
  return true;
}
