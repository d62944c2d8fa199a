import { setTimeout } from 'node:timers/promises';
import type { Database } from '../postgres/database.js';
import { readLatestOrders, readWithdrawnUnits } from '../postgres/orders/sale-orders.js';
import type { Redis } from '../redis/connection.js';
import { readSnapshot, type Snapshot } from '../redis/sale/snapshot.js';
import { compare, type Difference, describe } from './compare.js';

/**
 * Pause between two comparisons of a sale, in ms. A claim or release that was in flight at the first has arrived by the
 * second.
 */
const SECOND_LOOK_MS = 500;

/**
 * Compares a snapshot of Redis with the present orders in Postgres, once. Claims and releases in flight count as
 * differences, too.
 */
export async function differencesNow(db: Database, saleId: string, snapshot: Snapshot): Promise<Difference[]> {
  return compare(snapshot, await readLatestOrders(db, saleId), await readWithdrawnUnits(db, saleId));
}

/**
 * Lists the differences that two comparisons of a sale, 0.5 s apart, both find. Redis and Postgres cannot be read at
 * one instant, so a difference found only once may be in flight.
 *
 * @param snapshot the sale in Redis, read before this call
 */
export async function lastingDifferences(
  { db, redis }: { db: Database; redis: Redis },
  saleId: string,
  snapshot: Snapshot,
): Promise<Difference[]> {
  const first = await differencesNow(db, saleId, snapshot);
  if (first.length === 0) return [];
  await setTimeout(SECOND_LOOK_MS);
  const again = await readSnapshot(redis, saleId);
  if (!again) return first;
  const before = new Set(first.map(describe));
  return (await differencesNow(db, saleId, again)).filter(difference => before.has(describe(difference)));
}
