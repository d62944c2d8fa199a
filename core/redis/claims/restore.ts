import type { Claim, ClaimRecord } from '../../rules/claim.js';
import type { Redis } from '../connection.js';
import { allKeysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';

/** `held`: it wasn't lost. `other_claim`: the buyer holds another one. `unit_taken`: the unit is not free any more. */
export type RestoreOutcome = 'restored' | 'held' | 'other_claim' | 'unit_taken';

/**
 * Gives a claim that Redis lost back to its buyer, if its unit is still free; of one that has ended, only its end.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param claim the claim, as Postgres or the buyer's receipt has it
 * @returns what came of it
 * @throws NotVerified when the sale isn't verified
 */
export async function restoreClaim(
  redis: Redis,
  saleId: string,
  claim: ClaimRecord & Pick<Claim, 'buyerId'>,
): Promise<RestoreOutcome> {
  const reply = await runScript(redis, 'restore-claim', allKeysOf(saleId), [
    claim.buyerId,
    claim.claimId,
    claim.unit,
    claim.status,
    claim.payByMs ?? '-',
    claim.reason ?? '-',
  ]);
  return behindFence<RestoreOutcome>(reply, saleId)[0] as RestoreOutcome;
}
