import { keysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** The strikes of a buyer, as Redis has them beside a claim, and as the buyer's orders in Postgres say. */
export interface StrikeCount {
  buyerId: string;
  claimId: string;
  seen: number;
  strikes: number;
}

/**
 * Sets the strikes of buyers, each only while the buyer has the claim and the strikes that were read.
 *
 * @param counts 1 to 500
 * @returns for each buyer, whether the strikes were set
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function setStrikes(redis: Shards, saleId: string, counts: readonly StrikeCount[]): Promise<boolean[]> {
  const keys = keysOf(saleId);
  const args = counts.flatMap(({ buyerId, claimId, seen, strikes }) => [buyerId, claimId, seen, strikes]);
  const reply = await runScript(redis.of(saleId), 'set-strikes', { keys: [keys.sale, keys.claims], args });
  return behindFence<0 | 1>(reply, saleId).map(outcome => outcome === 1);
}
