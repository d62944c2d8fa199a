import type { Database } from '../postgres/database.js';
import { readLatestOrders, readWithdrawnUnits } from '../postgres/orders/sale-orders.js';
import type { Redis } from '../redis/connection.js';
import { readSnapshot, type Snapshot } from '../redis/sale/snapshot.js';
import { pause } from '../rules/clock.js';
import { compare, type Difference, describe } from './compare.js';

/** A claim or a release on its way is gone when it is looked for again after this long, in ms. */
const SECOND_LOOK_MS = 500;

/**
 * @param db Postgres
 * @param saleId the sale
 * @param snapshot what Redis holds of it
 * @returns every difference that there is now, also for what is merely on its way
 */
export async function differencesNow(db: Database, saleId: string, snapshot: Snapshot): Promise<Difference[]> {
  return compare(snapshot, await readLatestOrders(db, saleId), await readWithdrawnUnits(db, saleId));
}

/**
 * The two stores can't be read at one instant, so what differs once may be on its way; what differs twice is wrong.
 *
 * @param db Postgres
 * @param redis Redis
 * @param saleId the sale
 * @param snapshot the first look at Redis
 * @returns what differs now and still differs on a second look
 */
export async function lastingDifferences(
  db: Database,
  redis: Redis,
  saleId: string,
  snapshot: Snapshot,
): Promise<Difference[]> {
  const first = await differencesNow(db, saleId, snapshot);
  if (first.length === 0) return [];
  await pause(SECOND_LOOK_MS);
  const again = await readSnapshot(redis, saleId);
  if (!again) return first;
  const before = new Set(first.map(describe));
  return (await differencesNow(db, saleId, again)).filter(difference => before.has(describe(difference)));
}
