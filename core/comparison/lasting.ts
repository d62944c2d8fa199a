import { setTimeout } from 'node:timers/promises';
import type { Database } from '../postgres/database.js';
import { readLatestOrders, readWithdrawnUnits } from '../postgres/orders/sale-orders.js';
import type { Redis } from '../redis/connection.js';
import { readSnapshot, type Snapshot } from '../redis/sale/snapshot.js';
import { compare, type Difference, describe } from './compare.js';

/** Pause between the two comparisons, in ms. A claim or a release in flight has arrived after it. */
const SECOND_LOOK_MS = 500;

/** Reads Postgres and lists every difference from the snapshot, including those in flight. */
export async function differencesNow(db: Database, saleId: string, snapshot: Snapshot): Promise<Difference[]> {
  return compare(snapshot, await readLatestOrders(db, saleId), await readWithdrawnUnits(db, saleId));
}

/**
 * Lists the differences that two comparisons find. The stores cannot be read at one instant: a difference found once
 * may be in flight, one found twice is an error.
 *
 * @param snapshot the first reading of Redis
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
