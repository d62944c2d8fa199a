import { type Claim, type ClaimRecord, isLive } from '../../rules/claim.js';
import { allKeysOf } from '../keys.js';
import { beginPurchases, endPurchasesOf } from '../purchases/purchases.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/**
 * The outcome of restoring a claim that Redis may have lost. `held`: the claim was not lost. `other_claim`: the buyer
 * holds another claim. `unit_taken`: the claim's unit is no longer in stock.
 */
export type RestoreOutcome = 'restored' | 'held' | 'other_claim' | 'unit_taken';

/**
 * Restores a claim that Redis lost, if its unit is still free. Of a claim that has ended, only its final status is
 * restored, and no unit is taken.
 *
 * @param claim the claim as Postgres or the buyer's signed receipt states it; without strikes, it gets those that Redis knows of the buyer
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function restoreClaim(
  redis: Shards,
  saleId: string,
  claim: ClaimRecord & Pick<Claim, 'buyerId'>,
): Promise<RestoreOutcome> {
  const reply = await runScript(redis.of(saleId), 'restore-claim', {
    keys: allKeysOf(saleId),
    args: [
      claim.buyerId,
      claim.claimId,
      claim.unit,
      claim.status,
      claim.payByMs ?? '-',
      claim.reason ?? '-',
      claim.refundedMinor ?? 0,
      claim.strikes ?? '-',
      claim.group ?? '-',
    ],
  });
  const outcome = behindFence<RestoreOutcome>(reply, saleId)[0] as RestoreOutcome;
  if (outcome !== 'restored') return outcome;
  if (!isLive(claim.status)) await endPurchasesOf(redis, saleId, [claim]);
  else if (claim.status !== 'paid') await beginPurchases(redis, saleId, [claim]);
  return outcome;
}
