import { newClaimIds } from '#core/identity/claim-id.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { claimsAnswered } from '#core/process/telemetry.js';
import {
  CLAIM_BATCH_MAX,
  type ClaimOutcome,
  type ClaimRequest,
  claim,
  type SaleRefusal,
} from '#core/redis/claims/claim.js';
import type { Shards } from '#core/redis/shards.js';
import { withDeadline } from '#core/rules/clock.js';
import { REDIS_STEP_MS, WAITING_MAX } from '../http/deadline.js';
import type { QuickClicks } from '../limits/quick-clicks.js';
import type { Mirrors } from '../mirror/mirrors.js';
import { redisMsAt, type Sales } from '../mirror/sales.js';
import { TurnBatch } from './turn-batch.js';
import type { Winners } from './winners.js';

/**
 * Claims units for the buyers of one turn of the event loop. A buyer with a group is asked for as {@link memberOf} says. After a failure,
 * Redis may or may not have made the claims.
 */
export type ClaimBatch = TurnBatch<ClaimOutcome>;

/** Returns a buyer, with the group if there is one, as one text for the batch. An id has no space. */
export const memberOf = ({ buyerId, group }: { buyerId: string; group?: string | undefined }): string =>
  group === undefined ? buyerId : `${buyerId} ${group}`;

function requestOf(member: string, claimId: string): ClaimRequest {
  const end = member.indexOf(' ');
  return end < 0
    ? { buyerId: member, claimId }
    : { buyerId: member.slice(0, end), claimId, group: member.slice(end + 1) };
}

/** The parts of the API that claims in batches need. */
export interface ClaimBatchParts {
  /** A connection with the project's Lua scripts. */
  readonly redis: Shards;
  readonly winners: Pick<Winners, 'add'>;
  readonly mirrors: Pick<Mirrors, 'want'>;
  readonly sales: Pick<Sales, 'ask'>;
  readonly quickClicks: Pick<QuickClicks, 'served'>;
}

/**
 * Creates the batch that joins all clicks for a sale. Those of one turn of the event loop become one call of the script
 * `claim.lua`. Its winners are passed on to be placed.
 */
export function createClaimBatch({ redis, winners, mirrors, sales, quickClicks }: ClaimBatchParts): ClaimBatch {
  const limits = { sizeMax: CLAIM_BATCH_MAX, waitingMax: WAITING_MAX, gathers: redis.isOfCluster };
  return new TurnBatch(limits, async (saleId, members) => {
    const startedAt = performance.now();
    const claimIds = newClaimIds(members.length);
    const requests = members.map((member, i) => requestOf(member, claimIds[i] as string));
    const outcomes = await withDeadline(
      crashStep('claim.script', () => claim(redis, saleId, requests)),
      REDIS_STEP_MS,
      'claiming',
    );
    await crashPoint('claim.answered');
    if (outcomes.some(({ kind }) => kind === 'won')) winners.add(saleId);
    await crashPoint('claim.queued');
    const counts = countKinds(outcomes);
    if (WITHOUT_UNIT.some(kind => counts.has(kind))) mirrors.want(saleId);
    const served = outcomes.filter(({ kind }) => kind !== 'refused').length;
    // The sale is read once a second at most.
    if (served > 0) {
      sales.ask(saleId, sale => {
        if (sale) quickClicks.served(served, redisMsAt(sale, startedAt) - sale.opensAtMs);
      });
    }
    claimsAnswered(counts, (performance.now() - startedAt) / 1_000);
    return outcomes;
  });
}

/**
 * Outcomes of a click after which the sale may have no unit left. They make this process create a mirror, a copy of the
 * sale in memory, from which it refuses buyers.
 */
const WITHOUT_UNIT: (ClaimOutcome['kind'] | SaleRefusal)[] = ['held', 'standby', 'sold_out', 'closed'];

function countKinds(outcomes: ClaimOutcome[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const name = outcome.kind === 'refused' ? outcome.refusal : outcome.kind;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
