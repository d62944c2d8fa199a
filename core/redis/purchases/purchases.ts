import { wonAtMsOf } from '../../identity/claim-id.js';
import { crashPoint } from '../../process/crash-point.js';
import type { Claim } from '../../rules/claim.js';
import type { Shards } from '../shards.js';
import { byBucket, confirmLocks, giveBackLocks, type LockedClaim } from './locks.js';
import { type ReadRules, readRulesApart } from './rules.js';

// The beginning and the end of purchases on a Redis Cluster. On one Redis the scripts of the sale do both, and nothing here does
// anything.

type Purchase = Pick<Claim, 'buyerId' | 'claimId'>;

/**
 * Begins the purchases of claims that were made without a click: each buyer gets the lock, and the pause begins.
 *
 * @throws ioredis's error
 */
export async function beginPurchases(redis: Shards, saleId: string, claims: readonly Purchase[]): Promise<void> {
  const rules = claims.length > 0 ? await readRulesApart(redis, saleId) : undefined;
  if (!rules) return;
  const { one, pauseMs } = rules;
  const locked = claims.map(({ buyerId, claimId }) => ({ buyerId, claimId, lockMs: one ? rules.lockMs : 0, pauseMs }));
  await confirmLocks(redis, locked, '');
}

/** An order that is live. */
interface LiveOrder extends Purchase {
  status: string;
}

/** The outcome of confirming the locks of some orders. */
export interface ConfirmedOrders<T> {
  /** The orders whose buyers' nodes have answered. */
  confirmed: T[];
  /** The error of another node. */
  error?: unknown;
}

/**
 * Confirms the locks of claims that have an order, before they leave the outbox. The API may have died before it could, or the
 * buyer's node was away. Idempotent: locks and pauses count from the win.
 *
 * @throws ioredis's error of the sale's node
 */
export async function confirmPlaced<T extends LiveOrder>(
  redis: Shards,
  saleId: string,
  orders: T[],
): Promise<ConfirmedOrders<T>> {
  const rules = await readRulesApart(redis, saleId);
  if (!rules) return { confirmed: orders };
  const parts = byBucket(redis, orders);
  const outcomes = await Promise.allSettled(
    parts.map(([, part]) => {
      const locked = part.map(order => timesLeft(order, rules));
      return confirmLocks(redis, locked, '');
    }),
  );
  const confirmed = parts.flatMap(([, part], i) => (outcomes[i]?.status === 'fulfilled' ? part : []));
  const failed = outcomes.find(outcome => outcome.status === 'rejected');
  return failed ? { confirmed, error: failed.reason } : { confirmed };
}

/** Returns what is left of the lock and the pause of an order. One that is paid has no lock any more. */
function timesLeft({ buyerId, claimId, status }: LiveOrder, rules: ReadRules): LockedClaim {
  const sinceMs = Math.max(0, rules.atMs - wonAtMsOf(claimId));
  const lockMs = rules.one && status !== 'paid' ? rules.lockMs : 0;
  return {
    buyerId,
    claimId,
    lockMs: Math.max(0, lockMs - sinceMs),
    pauseMs: Math.max(0, rules.pauseMs - sinceMs),
  };
}

/**
 * Ends purchases: the lock of each claim is given back, if the claim still has it. Idempotent.
 *
 * @throws ioredis's error: the caller repeats what has ended the purchases
 */
export async function endPurchases(redis: Shards, purchases: readonly Purchase[]): Promise<void> {
  if (purchases.length === 0) return;
  await crashPoint('purchase.over');
  await giveBackLocks(
    redis,
    purchases.map(({ buyerId, claimId }) => ({ buyerId, holder: claimId })),
  );
}

/** Ends purchases of one sale, if it has rules about them. */
export async function endPurchasesOf(redis: Shards, saleId: string, purchases: readonly Purchase[]): Promise<void> {
  if (await readRulesApart(redis, saleId)) await endPurchases(redis, purchases);
}
