import { newClaimIds } from '#core/identity/claim-id.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { claimsAnswered } from '#core/process/telemetry.js';
import { CLAIM_BATCH_MAX, type ClaimOutcome, claim, type SaleRefusal } from '#core/redis/claims/claim.js';
import type { Redis } from '#core/redis/connection.js';
import type { Claim } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { REDIS_STEP_MS, WAITING_MAX } from '../http/deadline.js';
import type { Mirrors } from '../mirror/mirrors.js';
import { type AskForBuyer, batchPerTurn } from './turn-batch.js';
import type { Winners } from './winners.js';

export type ClaimBatch = AskForBuyer<ClaimOutcome>;

/**
 * Makes the claims of one event-loop turn for one sale one call of the claim script.
 *
 * @param redis a connection with the scripts
 * @param winners where the winners go
 * @param mirrors told when there is nothing to be had
 * @returns claims a unit for one buyer; a failure means that the outcome is unknown
 */
export function createClaimBatch(redis: Redis, winners: Winners, mirrors: Mirrors): ClaimBatch {
  return batchPerTurn(CLAIM_BATCH_MAX, WAITING_MAX, async (saleId, buyerIds) => {
    const startedAt = performance.now();
    const claimIds = newClaimIds(buyerIds.length);
    const requests = buyerIds.map((buyerId, i) => ({ buyerId, claimId: claimIds[i] as string }));
    const outcomes = await withDeadline(
      crashStep('claim.script', () => claim(redis, saleId, requests)),
      REDIS_STEP_MS,
      'claiming',
    );
    await crashPoint('claim.answered');
    winners.add(saleId, winnersOf(outcomes));
    await crashPoint('claim.queued');
    const counts = countKinds(outcomes);
    if (WITHOUT_UNIT.some(kind => counts.has(kind))) mirrors.noted(saleId);
    claimsAnswered(counts, (performance.now() - startedAt) / 1_000);
    return outcomes;
  });
}

/** What buyers get where there may be no unit left. */
const WITHOUT_UNIT: (ClaimOutcome['kind'] | SaleRefusal)[] = ['held', 'standby', 'sold_out', 'closed'];

function winnersOf(outcomes: ClaimOutcome[]): Claim[] {
  const claims: Claim[] = [];
  for (const outcome of outcomes) if (outcome.kind === 'won') claims.push(outcome.claim);
  return claims;
}

function countKinds(outcomes: ClaimOutcome[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const name = outcome.kind === 'refused' ? outcome.refusal : outcome.kind;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
