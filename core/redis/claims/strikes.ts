import type { ClaimRecord } from '../../rules/claim.js';
import { keysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** The right number of a buyer's ends without payment, and the claim in Redis that says another one. */
export interface Recount {
  buyerId: string;
  claim: Pick<ClaimRecord, 'claimId' | 'strikes'>;
  strikes: number;
}

/**
 * Corrects how many orders of a buyer ended without payment.
 *
 * @returns false when the buyer has another claim, or its number has changed since it was read
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function setStrikes(
  redis: Shards,
  saleId: string,
  { buyerId, claim, strikes }: Recount,
): Promise<boolean> {
  const keys = keysOf(saleId);
  const reply = await runScript(redis.of(saleId), 'set-strikes', {
    keys: [keys.sale, keys.claims],
    args: [buyerId, claim.claimId, claim.strikes ?? 0, strikes],
  });
  return behindFence<number>(reply, saleId)[0] === 1;
}
