import { crashPoint, crashStep } from '../process/crash-point.js';
import { claimsRescued } from '../process/telemetry.js';
import { areOrdersWaiting } from '../queue/queues.js';
import { readOutbox } from '../redis/claims/outbox.js';
import { readLoadedSaleIds } from '../redis/registry.js';
import { PLACE_BATCH_MAX } from '../rules/claim.js';
import type { StepContext } from '../steps/context.js';
import { inTurn } from '../steps/in-turn.js';
import { placeOrders } from '../steps/place-orders.js';

/**
 * Age at which an accepted claim counts as left behind, in ms. Longer than placing takes when all is well (p99 below 1 s),
 * and short enough that every claim has its order within 15 s of any one fault.
 */
export const RESCUE_AFTER_MS = 5_000;

/**
 * The same while jobs wait in the queue, in ms: claims of that age are most likely theirs, and doing the work twice would only
 * make the queue longer. Past this nobody is trusted, and there is still time within the 15 s.
 */
const RESCUE_BUSY_AFTER_MS = 11_000;

/**
 * Rescues in every sale that this Redis knows.
 *
 * @param ctx the stores
 * @returns how many claims it placed or gave up
 * @throws what went wrong with the first sale that it could not rescue in, after it was tried in all
 */
export async function rescueAll(ctx: StepContext): Promise<number> {
  let rescued = 0;
  // The queue only says whether to be patient; nothing depends on it.
  const isBusy = await areOrdersWaiting(ctx.queues).catch(() => false);
  const olderThanMs = isBusy ? RESCUE_BUSY_AFTER_MS : RESCUE_AFTER_MS;
  await inTurn(await readLoadedSaleIds(ctx.redis), async saleId => {
    rescued += await rescue(ctx, saleId, olderThanMs);
  });
  return rescued;
}

/**
 * Places the claims that the outbox says were left: their API or worker died, or the queue lost or never got the job.
 * It goes by the outbox alone and never asks what became of a job. A claim that is being placed just now may be placed twice at the
 * same time: its primary key lets one of the two write, and the other read.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param olderThanMs how long ago they were won at least, in ms
 * @returns how many claims it placed or gave up
 * @throws what the stores throw: the claims stay in the outbox for the next run
 */
export async function rescue(ctx: StepContext, saleId: string, olderThanMs = RESCUE_AFTER_MS): Promise<number> {
  let rescued = 0;
  for (;;) {
    const claims = await readOutbox(ctx.redis, saleId, olderThanMs, PLACE_BATCH_MAX);
    if (claims.length > 0) {
      await crashPoint('rescue.read');
      await crashStep('rescue.place', () => placeOrders(ctx, { saleId, claims }));
    }
    rescued += claims.length;
    claimsRescued(claims.length);
    if (claims.length < PLACE_BATCH_MAX) return rescued;
  }
}
