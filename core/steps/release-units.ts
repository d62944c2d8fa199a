import { markDelivered } from '../postgres/deliveries/due-releases.js';
import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { enqueueFailed, unitsPromoted, unitsReleased } from '../process/telemetry.js';
import { enqueuePlaceOrders } from '../queue/enqueue.js';
import { promote, RELEASE_BATCH_MAX, type ReleaseOutcome, release } from '../redis/claims/release.js';
import { chunks } from '../rules/chunks.js';
import type { Claim } from '../rules/claim.js';
import type { StepContext } from './context.js';
import { inTurn } from './in-turn.js';

/**
 * Carries out releases that Postgres has decided: frees units and buyers in Redis, promotes who is on standby, and marks the
 * events delivered. Safe to repeat at any point: a claim that isn't held any more is left alone. A sale that can't be reached does
 * not hold up the others.
 *
 * @param ctx the stores
 * @param events the releases, of any sales
 * @throws NotVerified, and what the stores throw: the events stay undelivered, and deliver-events tries again
 */
export async function releaseUnits(ctx: StepContext, events: ReleaseRow[]): Promise<void> {
  await inTurn(bySale(events), async ({ saleId, releases }) => {
    const outcomes = await crashStep('release.script', () => release(ctx.redis, saleId, releases));
    await crashPoint('release.released');
    const ids = releases.map(event => event.id);
    await crashStep('release.mark', () => markDelivered(ctx.db, ids));
    await crashPoint('release.marked');
    unitsReleased(outcomes.filter(outcome => outcome.kind !== 'not_held').length);
    await queuePromoted(ctx, saleId, outcomes.flatMap(promotedClaim));
  });
}

/** What one script carries out. */
function* bySale(events: ReleaseRow[]): Generator<{ saleId: string; releases: ReleaseRow[] }> {
  for (const saleId of new Set(events.map(event => event.saleId))) {
    const ofSale = events.filter(event => event.saleId === saleId);
    for (const releases of chunks(ofSale, RELEASE_BATCH_MAX)) yield { saleId, releases };
  }
}

/**
 * Gives all free units to those on standby, as far as there are any: after a restock, a resume or a repair. Nobody is promoted
 * while the sale isn't open: the script sees to that.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @returns the claims that were made
 * @throws NotVerified, and what Redis throws: reconcile promotes whoever is left
 */
export async function promoteWaiting(ctx: StepContext, saleId: string): Promise<Claim[]> {
  const promoted: Claim[] = [];
  for (;;) {
    const claims = await promote(ctx.redis, saleId);
    await queuePromoted(ctx, saleId, claims);
    promoted.push(...claims);
    if (claims.length < RELEASE_BATCH_MAX) return promoted;
  }
}

/** They are in the outbox already, so a queue that can't be reached loses nothing. */
async function queuePromoted(ctx: StepContext, saleId: string, claims: Claim[]): Promise<void> {
  if (claims.length === 0) return;
  unitsPromoted(claims.length);
  try {
    await crashStep('release.queue', () => enqueuePlaceOrders(ctx.queues, { saleId, claims }));
  } catch (error) {
    enqueueFailed('place-orders', error);
  }
}

function promotedClaim(outcome: ReleaseOutcome): Claim[] {
  return outcome.kind === 'promoted' ? [outcome.claim] : [];
}
