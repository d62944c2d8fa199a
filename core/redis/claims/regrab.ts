import type { Redis } from '../connection.js';
import { allKeysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';

/** A unit is `taken`, or there is none. `not_released`: the release of the old claim is in flight; retry after it. */
export type RegrabOutcome =
  | { kind: 'taken'; unit: number }
  | { kind: 'not_open' | 'sold_out' | 'other_claim' | 'ended' | 'not_released' };

/** Which buyer, which claim of theirs has ended, and under which a unit is taken again. */
export interface Regrab {
  buyerId: string;
  endedClaimId: string;
  claimId: string;
}

/**
 * Takes a unit again for a buyer whose money came late: as anybody could who clicked now, and never past those on standby.
 * The claim is in the outbox, so it becomes an order whatever happens. Safe to repeat.
 *
 * @param redis a connection with the scripts
 * @param saleId the sale
 * @param regrab for whom
 * @returns the unit, or why there is none
 * @throws NotVerified when the sale isn't verified; what ioredis throws
 */
export async function regrab(redis: Redis, saleId: string, regrab: Regrab): Promise<RegrabOutcome> {
  const reply = await runScript(redis, 'regrab', allKeysOf(saleId), [
    regrab.buyerId,
    regrab.endedClaimId,
    regrab.claimId,
  ]);
  const [outcome] = behindFence<number | Exclude<RegrabOutcome['kind'], 'taken'>>(reply, saleId);
  if (outcome === undefined) throw new Error('the script regrab returned nothing');
  return typeof outcome === 'number' ? { kind: 'taken', unit: outcome } : { kind: outcome };
}
