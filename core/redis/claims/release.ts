import { newClaimId, newClaimIds } from '../../identity/claim-id.js';
import type { Claim, EndedStatus } from '../../rules/claim.js';
import { isStrike, type OrderReason } from '../../rules/order.js';
import { allKeysOf } from '../keys.js';
import { beginPurchases, endPurchasesOf } from '../purchases/purchases.js';
import { behindFence, runScript } from '../scripts.js';
import type { Shards } from '../shards.js';

/** The most claims in one call of release.lua. */
export const RELEASE_BATCH_MAX = 500;

/** The most claims that one call of promote.lua makes, which takes some 4 ms of Redis for 10,000 buyers of a line of a million. */
export const PROMOTE_BATCH_MAX = 125;

/**
 * A claim to end, so that its unit and its buyer become free. Postgres must already hold an ended order or a tombstone
 * for it.
 */
export interface Release {
  buyerId: string;
  claimId: string;
  status: EndedStatus;
  reason: OrderReason;
  /** False keeps the unit out of stock, because another buyer's live order has it or it was withdrawn. */
  freesUnit: boolean;
}

/**
 * The outcome of one release. `released`: the claim has ended, and its unit is in stock if it was to be freed.
 * `promoted`: the unit went to the first buyer on standby. `not_held`: the claim had ended before.
 */
export type ReleaseOutcome = { kind: 'released' } | { kind: 'promoted'; claim: Claim } | { kind: 'not_held' };

/**
 * Ends claims and frees their units and buyers, each only while the buyer holds exactly that claim. Idempotent.
 *
 * @param releases 1 to {@link RELEASE_BATCH_MAX} claims
 * @returns an outcome for each claim, in the same order; promoted claims still have to become orders
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis; ioredis's
 * error: retry
 */
export async function release(redis: Shards, saleId: string, releases: Release[]): Promise<ReleaseOutcome[]> {
  const flag = (is: boolean) => (is ? '1' : '0');
  const argsOf = ({ buyerId, claimId, status, reason, freesUnit }: Release) => [
    buyerId,
    claimId,
    status,
    reason,
    flag(freesUnit),
    newClaimId(),
    flag(isStrike(reason)),
  ];
  const args = releases.flatMap(argsOf);
  const reply = await runScript(redis.of(saleId), 'release', { keys: allKeysOf(saleId), args });
  const outcomes = behindFence<number | PromotedReply>(reply, saleId).map((outcome): ReleaseOutcome => {
    if (Array.isArray(outcome)) return { kind: 'promoted', claim: promotedClaim(outcome) };
    return { kind: outcome === 1 ? 'released' : 'not_held' };
  });
  await beginPromoted(redis, saleId, outcomes.flatMap(claimsOf));
  await endPurchasesOf(redis, saleId, releases);
  return outcomes;
}

const claimsOf = (outcome: ReleaseOutcome): Claim[] => (outcome.kind === 'promoted' ? [outcome.claim] : []);

/** Begins the purchases of promoted buyers. After a failure, the worker does it before their claims leave the outbox. */
async function beginPromoted(redis: Shards, saleId: string, claims: Claim[]): Promise<void> {
  await beginPurchases(redis, saleId, claims).catch(() => undefined);
}

/**
 * Gives free units to the first buyers on standby, after units were added, a pause ended or a repair.
 *
 * @returns the new claims, at most {@link PROMOTE_BATCH_MAX}; they still have to become orders
 * @throws NotVerified when the sale is not loaded, or not yet compared with Postgres in this run of Redis
 */
export async function promote(redis: Shards, saleId: string): Promise<Claim[]> {
  const reply = await runScript(redis.of(saleId), 'promote', {
    keys: allKeysOf(saleId),
    args: newClaimIds(PROMOTE_BATCH_MAX),
  });
  const claims = behindFence<PromotedReply>(reply, saleId).map(promotedClaim);
  await beginPromoted(redis, saleId, claims);
  return claims;
}

type PromotedReply = [buyerId: string, claimId: string, unit: string | number];

function promotedClaim([buyerId, claimId, unit]: PromotedReply): Claim {
  return { buyerId, claimId, unit: Number(unit) };
}
