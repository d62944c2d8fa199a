import { isLive } from '../claim.js';
import { pause } from '../clock.js';
import { brokenRules, countOrders, type OrderCounts } from '../orders/audit.js';
import type { Database } from '../orders/database.js';
import { readLatestOrders, readWithdrawnUnits } from '../orders/sale-orders.js';
import { readSale } from '../orders/sales.js';
import type { Redis } from '../redis.js';
import { readSnapshot, type Snapshot } from '../stock/snapshot.js';
import { compare, type Difference } from './compare.js';
import { lineFaults } from './line.js';

/** Age at which an accepted claim without an order breaks the promise, in ms (invariant 6, under any one fault). */
const UNPLACED_LIMIT_MS = 15_000;

/** A claim or a release on its way is gone when it is looked for again after this long, in ms. */
const SECOND_LOOK_MS = 1_000;

/** The proof, for people and for programs. */
export interface Audit {
  sale: string;
  ok: boolean;
  /** What is broken, a line each; empty when everything holds. */
  violations: string[];
  units: number;
  free: number;
  claims: number;
  unplaced: number;
  waiting: number;
  orders: OrderCounts;
}

/**
 * Checks invariants 1 to 6 of a sale on live data, and changes nothing.
 *
 * @param db Postgres
 * @param redis Redis
 * @param saleId the sale
 * @returns the proof, or undefined when Postgres has no such sale
 */
export async function audit(db: Database, redis: Redis, saleId: string): Promise<Audit | undefined> {
  const sale = await readSale(db, saleId);
  if (!sale) return undefined;
  const snapshot = await readSnapshot(redis, saleId);
  const differences = snapshot ? await lastingDifferences(db, redis, saleId, snapshot) : [];
  const violations = [
    ...(snapshot ? [] : ['I4 the sale is not loaded in Redis']),
    ...differences.map(describe),
    ...(snapshot ? [...staleClaims(snapshot), ...lineFaults(snapshot)] : []),
    ...(await brokenRules(db, saleId)).map(({ rule, rows }) => `${rule}: ${rows}`),
  ];
  return {
    sale: saleId,
    ok: violations.length === 0,
    violations,
    units: sale.units,
    free: snapshot?.stock.length ?? 0,
    claims: [...(snapshot?.claims.values() ?? [])].filter(claim => isLive(claim.status)).length,
    unplaced: snapshot?.outbox.size ?? 0,
    waiting: snapshot?.standby.length ?? 0,
    orders: await countOrders(db, saleId),
  };
}

/** The two stores can't be read at one instant, so what differs once may be on its way; what differs twice is wrong. */
async function lastingDifferences(
  db: Database,
  redis: Redis,
  saleId: string,
  snapshot: Snapshot,
): Promise<Difference[]> {
  const first = await compareWith(db, saleId, snapshot);
  if (first.length === 0) return [];
  await pause(SECOND_LOOK_MS);
  const again = await readSnapshot(redis, saleId);
  if (!again) return first;
  const second = new Set((await compareWith(db, saleId, again)).map(describe));
  return first.filter(difference => second.has(describe(difference)));
}

async function compareWith(db: Database, saleId: string, snapshot: Snapshot): Promise<Difference[]> {
  return compare(snapshot, await readLatestOrders(db, saleId), await readWithdrawnUnits(db, saleId));
}

function staleClaims(snapshot: Snapshot): string[] {
  return [...snapshot.outbox]
    .filter(([, wonAtMs]) => wonAtMs < snapshot.atMs - UNPLACED_LIMIT_MS)
    .map(
      ([buyerId]) => `I6 the claim of ${buyerId} has waited for its order for more than ${UNPLACED_LIMIT_MS / 1_000} s`,
    );
}

function describe(difference: Difference): string {
  switch (difference.kind) {
    case 'claim_missing':
      return `I4 order ${difference.order.claimId} is live, and Redis lacks its claim of unit ${difference.order.unit}`;
    case 'release_missing':
      return `I4 order ${difference.order.claimId} has ended, and Redis keeps its claim of unit ${difference.order.unit}`;
    case 'status_behind':
      return `I4 order ${difference.order.claimId} is ${difference.order.status}, and Redis does not say so`;
    case 'outbox_missing':
      return `I6 claim ${difference.claim.claimId} has neither an order nor an entry in the outbox`;
    case 'units_wrong':
      return `I1 units that are not exactly once in stock or in a claim: ${difference.units.slice(0, 20).join(', ')}`;
  }
}
