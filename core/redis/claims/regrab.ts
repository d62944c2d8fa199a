import { allKeysOf } from '../keys.js';
import { beginPurchases } from '../purchases/purchases.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/**
 * The outcome of taking a unit again: it is `taken`, or a reason why not. `ended`: the new claim has ended meanwhile.
 * `other_claim`: the buyer has another live claim. `not_released`: the release of the old claim is in flight; retry
 * after it.
 */
export type RegrabOutcome =
  | { kind: 'taken'; unit: number; group?: string }
  | { kind: 'not_open' | 'sold_out' | 'other_claim' | 'ended' | 'not_released' };

/** The buyer, the claim that has ended, and the new claim under which a unit is taken again. */
export interface Regrab {
  buyerId: string;
  endedClaimId: string;
  claimId: string;
}

/**
 * Takes a unit again for a buyer whose payment arrived after the order had ended. The buyer has the chances of a new
 * click, and never passes buyers on standby. The new claim enters the outbox, so it becomes an order. Idempotent.
 *
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis; ioredis's
 * error
 */
export async function regrab(redis: Shards, saleId: string, regrab: Regrab): Promise<RegrabOutcome> {
  const reply = await runScript(redis.of(saleId), 'regrab', {
    keys: allKeysOf(saleId),
    args: [regrab.buyerId, regrab.endedClaimId, regrab.claimId],
  });
  const [outcome, group] = behindFence<number | string>(reply, saleId);
  if (outcome === undefined) throw new Error('the script regrab returned nothing');
  if (typeof outcome !== 'number') return { kind: outcome as Exclude<RegrabOutcome['kind'], 'taken'> };
  await beginPurchases(redis, saleId, [regrab]);
  return { kind: 'taken', unit: outcome, ...(typeof group === 'string' && { group }) };
}
