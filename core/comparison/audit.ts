import { brokenRules, countOrders, type OrderCounts } from '../postgres/audit.js';
import { readCheckpoint } from '../postgres/books/checkpoint.js';
import type { Database } from '../postgres/database.js';
import { readSale } from '../postgres/sales.js';
import { readOldest } from '../redis/claims/waiting.js';
import { keysOf } from '../redis/keys.js';
import { readFacts } from '../redis/sale/content.js';
import type { Shards } from '../redis/shards.js';
import type { Reported } from '../values/progress.js';
import { describe } from './compare.js';
import { drawFaults } from './draw.js';
import { groupFaults } from './groups.js';
import { lastingDifferences } from './lasting.js';
import { lookAt } from './look.js';
import { standbyFaults } from './standby.js';

/**
 * Age at which the audit reports an accepted claim that still has no order, in ms. Invariant 6 of docs/guarantees.md
 * promises an order within 15 s under any one fault.
 */
const UNPLACED_LIMIT_MS = 15_000;

/** The most of these claims that an audit lists. */
const STALE_MAX = 1_000;

/** The result of an audit, which checks that a sale keeps its promises. People and programs read it. */
export interface Audit {
  sale: string;
  ok: boolean;
  /** The broken rules, one line of text each; empty when every rule holds. */
  violations: string[];
  units: number;
  free: number;
  claims: number;
  unplaced: number;
  waiting: number;
  orders: OrderCounts;
  /**
   * When the last complete walk through the balances and transfers of all sales began, in ISO 8601 and UTC; null before
   * the first one. A row of another sale that somebody has changed by hand since then may not be found yet.
   */
  booksWalkedAt: string | null;
}

/**
 * Checks a sale on live data, and changes nothing. The audit covers invariants 1 to 6 of docs/guarantees.md, the
 * standby list, the draw, and the balances of all accounts as far as they may have changed since the books were checked.
 *
 * @returns the figures of the sale and the broken rules; undefined when Postgres has no such sale
 */
export async function audit(
  db: Database,
  redis: Shards,
  saleId: string,
  { progress }: Reported = {},
): Promise<Audit | undefined> {
  const sale = await readSale(db, saleId);
  if (!sale) return undefined;
  // The rules of Postgres read as many buyers as the look does. Of a sale that is not loaded, nobody knows the number of buyers.
  progress?.expect((await readFacts(redis, saleId)).claims || sale.units);
  // Postgres checks its rules meanwhile.
  const rules = brokenRules(db, saleId, progress);
  rules.catch(() => undefined);
  const look = await lookAt({ db, redis }, saleId, progress);
  const differences = look ? await lastingDifferences({ db, redis }, saleId, look) : [];
  const violations = [
    ...(look ? [] : ['I4 the sale is not loaded in Redis']),
    ...differences.map(describe),
    ...(look
      ? [
          ...(await staleClaims(redis, saleId)),
          ...(await standbyFaults(redis, saleId)),
          ...(await groupFaults(redis, sale)),
        ]
      : []),
    ...(await drawFaults({ db, redis }, saleId)).map(fault => `draw: ${fault}`),
    ...(await rules).map(({ rule, rows }) => `${rule}: ${rows}`),
  ];
  return {
    sale: saleId,
    ok: violations.length === 0,
    violations,
    units: sale.units,
    free: look?.facts.free ?? 0,
    claims: look?.held ?? 0,
    unplaced: look?.facts.unplaced ?? 0,
    waiting: look?.facts.waiting ?? 0,
    orders: await countOrders(db, saleId),
    booksWalkedAt: (await readCheckpoint(db)).walkedAt?.toISOString() ?? null,
  };
}

async function staleClaims(redis: Shards, saleId: string): Promise<string[]> {
  const outbox = keysOf(saleId).outbox;
  const stale = await readOldest(redis.of(saleId), outbox, { olderThanMs: UNPLACED_LIMIT_MS, limit: STALE_MAX });
  return stale.map(
    ({ member }) => `I6 the claim of ${member} has waited for its order for more than ${UNPLACED_LIMIT_MS / 1_000} s`,
  );
}
