import { markDelivered } from '../postgres/deliveries/due-releases.js';
import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { enqueueFailed, unitsPromoted, unitsReleased } from '../process/telemetry.js';
import { enqueuePlaceWaiting } from '../queue/enqueue.js';
import {
  PROMOTE_BATCH_MAX,
  promote,
  RELEASE_BATCH_MAX,
  type ReleaseOutcome,
  release,
} from '../redis/claims/release.js';
import type { Claim } from '../rules/claim.js';
import { bySale } from '../values/by-sale.js';
import { chunks } from '../values/chunks.js';
import { inTurn } from '../values/in-turn.js';
import type { StepContext } from './context.js';

/**
 * Carries out releases that Postgres has decided: Redis frees units and buyers, and buyers on standby get the units.
 * Postgres then marks the releases as delivered. Idempotent: a claim that its buyer no longer holds stays untouched. A
 * sale that cannot be reached does not hold up others.
 *
 * @param releases of any sales
 * @throws Failures with NotVerified and the stores' errors: the releases stay due in Postgres, and the actor
 *   deliver-events retries
 */
export async function releaseUnits(ctx: StepContext, releases: ReleaseRow[]): Promise<void> {
  const releaseBatch = async ({ saleId, batch }: SaleBatch) => {
    const outcomes = await crashStep('release.script', () => release(ctx.redis, saleId, batch));
    await crashPoint('release.released');
    const ids = batch.map(({ id }) => id);
    await crashStep('release.mark', () => markDelivered(ctx.db, ids));
    await crashPoint('release.marked');
    unitsReleased(outcomes.filter(outcome => outcome.kind !== 'not_held').length);
    await queuePromoted(ctx, saleId, outcomes.flatMap(promotedClaim));
  };
  await inTurn(batchesOf(releases), releaseBatch, ({ saleId }) => `sale ${saleId}`);
}

/** Releases of one sale, few enough for one call of the release script. */
interface SaleBatch {
  saleId: string;
  batch: ReleaseRow[];
}

/** Divides releases into batches of one sale that one call of the release script can carry out. */
function* batchesOf(releases: ReleaseRow[]): Generator<SaleBatch> {
  for (const [saleId, ofSale] of bySale(releases)) {
    for (const batch of chunks(ofSale, RELEASE_BATCH_MAX)) yield { saleId, batch };
  }
}

/**
 * Gives all free units of a sale to buyers on standby, after a restock, a resume or a repair. While the sale is not
 * open, nobody gets a unit.
 *
 * @returns the new claims of those buyers
 * @throws NotVerified and Redis's errors: reconcile gives out the rest
 */
export async function promoteWaiting(ctx: StepContext, saleId: string): Promise<Claim[]> {
  const promoted: Claim[] = [];
  for (;;) {
    const claims = await promote(ctx.redis, saleId);
    await queuePromoted(ctx, saleId, claims);
    promoted.push(...claims);
    if (claims.length < PROMOTE_BATCH_MAX) return promoted;
  }
}

/**
 * Queues the placing of claims that buyers on standby just got. The outbox has these claims already, so an unreachable
 * queue loses nothing.
 */
async function queuePromoted(ctx: StepContext, saleId: string, claims: Claim[]): Promise<void> {
  if (claims.length === 0) return;
  unitsPromoted(claims.length);
  try {
    await crashStep('release.queue', () => enqueuePlaceWaiting(ctx.queues, { saleId }));
  } catch (error) {
    enqueueFailed('place-waiting', error);
  }
}

function promotedClaim(outcome: ReleaseOutcome): Claim[] {
  return outcome.kind === 'promoted' ? [outcome.claim] : [];
}
