import { newClaimId, newClaimIds } from '../../identity/claim-id.js';
import type { Claim, EndedStatus } from '../../rules/claim.js';
import type { OrderReason } from '../../rules/order.js';
import type { Redis } from '../connection.js';
import { allKeysOf } from '../keys.js';
import { behindFence, runScript } from '../scripts.js';

/** The most claims in one call of a maintenance script. */
export const RELEASE_BATCH_MAX = 500;

/** A claim to end. Postgres must hold a row for the claim that is not live. */
export interface Release {
  buyerId: string;
  claimId: string;
  status: EndedStatus;
  reason: OrderReason;
  /** False when the unit belongs to another buyer's live order, so that it must stay out of stock. */
  freesUnit: boolean;
}

/**
 * The outcome of one release: the unit is in stock, or went to the first buyer on standby, or the claim had ended
 * before.
 */
export type ReleaseOutcome = { kind: 'released' } | { kind: 'promoted'; claim: Claim } | { kind: 'not_held' };

/**
 * Releases units and buyers, each only while the buyer holds exactly that claim. Idempotent.
 *
 * @param releases 1 to {@link RELEASE_BATCH_MAX} claims
 * @returns an outcome for each, in the same order; promoted claims have to be placed
 * @throws NotVerified when the sale is not verified; ioredis's error: retry
 */
export async function release(redis: Redis, saleId: string, releases: Release[]): Promise<ReleaseOutcome[]> {
  const args = releases.flatMap(r => [r.buyerId, r.claimId, r.status, r.reason, r.freesUnit ? '1' : '0', newClaimId()]);
  const reply = await runScript(redis, 'release', { keys: allKeysOf(saleId), args });
  return behindFence<number | PromotedReply>(reply, saleId).map(outcome => {
    if (Array.isArray(outcome)) return { kind: 'promoted', claim: promotedClaim(outcome) };
    return { kind: outcome === 1 ? 'released' : 'not_held' };
  });
}

/**
 * Gives free units to buyers on standby, after a restock, a resume or a repair.
 *
 * @returns the new claims, at most {@link RELEASE_BATCH_MAX}; they have to be placed
 * @throws NotVerified when the sale is not verified
 */
export async function promote(redis: Redis, saleId: string): Promise<Claim[]> {
  const reply = await runScript(redis, 'promote', { keys: allKeysOf(saleId), args: newClaimIds(RELEASE_BATCH_MAX) });
  return behindFence<PromotedReply>(reply, saleId).map(promotedClaim);
}

type PromotedReply = [buyerId: string, claimId: string, unit: string | number];

function promotedClaim([buyerId, claimId, unit]: PromotedReply): Claim {
  return { buyerId, claimId, unit: Number(unit) };
}
