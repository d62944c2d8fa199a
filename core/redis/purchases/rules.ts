import { hasPurchaseRules } from '../../rules/sale.js';
import { keysOf } from '../keys.js';
import { msOf, repliesOf } from '../replies.js';
import type { Shards } from '../shards.js';

/** The rules of a sale about the purchases of one buyer, as the scripts apply them (lua/include/purchases.lua). */
export interface PurchaseRules {
  /** Whether a buyer makes one purchase at a time. */
  one: boolean;
  /** The pause after a win, in ms; 0 for none. */
  pauseMs: number;
  /** The lifetime of a purchase's lock, in ms from its win. */
  lockMs: number;
}

/** The rules of a sale, and the time at which they were read, in ms by the clock of the sale's node. */
export interface ReadRules extends PurchaseRules {
  atMs: number;
}

/** How long a lock outlives the time to pay, in ms, as on one Redis (lua/include/purchases.lua). */
const LOCK_MARGIN_MS = 60_000;

/**
 * Reads the rules of a sale whose buyers have their locks on other nodes of a Redis Cluster.
 *
 * @returns undefined for a sale without rules, one that is not loaded, and on one Redis, where the scripts of the sale do all
 * @throws ioredis's error
 */
export async function readRulesApart(redis: Shards, saleId: string): Promise<ReadRules | undefined> {
  if (!redis.isOfCluster) return undefined;
  const replies = await redis
    .of(saleId)
    .pipeline()
    .hmget(keysOf(saleId).sale, 'onePurchaseAtATime', 'minSecondsBetweenPurchases', 'payWithinSeconds')
    .time()
    .exec();
  const [[one, pauseSeconds, payWithinSeconds], time] =
    repliesOf<[[string | null, string | null, string | null], [string, string]]>(replies);
  const rules = { onePurchaseAtATime: one === '1', minSecondsBetweenPurchases: Number(pauseSeconds) };
  if (!hasPurchaseRules(rules)) return undefined;
  return {
    one: rules.onePurchaseAtATime,
    pauseMs: rules.minSecondsBetweenPurchases * 1_000,
    lockMs: Number(payWithinSeconds) * 1_000 + LOCK_MARGIN_MS,
    atMs: msOf(time),
  };
}
