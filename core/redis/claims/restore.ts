import type { Claim, ClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { allKeysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';

/**
 * The outcome of a restoration. `held`: the claim was not lost. `other_claim`: the buyer holds another one. `unit_taken`: the unit is no longer free.
 */
export type RestoreOutcome = 'restored' | 'held' | 'other_claim' | 'unit_taken';

/**
 * Restores a claim that Redis lost, if its unit is still free. Of an ended claim only the end is restored.
 *
 * @param claim the claim as Postgres or the receipt states it
 * @throws NotVerified when the sale is not verified
 */
export async function restoreClaim(
  redis: Redis,
  saleId: string,
  claim: ClaimRecord & Pick<Claim, 'buyerId'>,
): Promise<RestoreOutcome> {
  const reply = await runScript(redis, 'restore-claim', {
    keys: allKeysOf(saleId),
    args: [claim.buyerId, claim.claimId, claim.unit, claim.status, claim.payByMs ?? '-', claim.reason ?? '-'],
  });
  return behindFence<RestoreOutcome>(reply, saleId)[0] as RestoreOutcome;
}
