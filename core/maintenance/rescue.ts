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
 * Age at which an accepted claim counts as abandoned, in ms. Normal placing is faster (p99 below 1 s), and every claim
 * still gets its order within 15 s of any one fault.
 */
export const RESCUE_AFTER_MS = 5_000;

/**
 * The same age while jobs wait in the queue, in ms. Such claims most likely belong to those jobs, and placing them
 * twice would only lengthen the queue. It leaves time within the 15 s.
 */
const RESCUE_BUSY_AFTER_MS = 11_000;

/**
 * Rescues claims in every sale that this Redis knows.
 *
 * @returns the number of claims placed or given up
 * @throws the first error, after every sale was tried
 */
export async function rescueAll(ctx: StepContext): Promise<number> {
  let rescued = 0;
  // The queue only decides how patient to be, so its failure does not matter.
  const isBusy = await areOrdersWaiting(ctx.queues).catch(() => false);
  const olderThanMs = isBusy ? RESCUE_BUSY_AFTER_MS : RESCUE_AFTER_MS;
  await inTurn(await readLoadedSaleIds(ctx.redis), async saleId => {
    rescued += await rescue(ctx, saleId, olderThanMs);
  });
  return rescued;
}

/**
 * Places the claims that the outbox shows as abandoned: their API or worker died, or the queue lost their job. Only the
 * outbox counts, never the state of a job. A claim may be placed twice at once: its primary key lets one insert and the
 * other read.
 *
 * @param olderThanMs least age of the claims, in ms
 * @returns the number of claims placed or given up
 * @throws the stores' errors: the claims stay in the outbox for the next round
 */
export async function rescue(ctx: StepContext, saleId: string, olderThanMs = RESCUE_AFTER_MS): Promise<number> {
  let rescued = 0;
  for (;;) {
    const claims = await readOutbox(ctx.redis, saleId, { olderThanMs, limit: PLACE_BATCH_MAX });
    if (claims.length > 0) {
      await crashPoint('rescue.read');
      await crashStep('rescue.place', () => placeOrders(ctx, { saleId, claims }));
    }
    rescued += claims.length;
    claimsRescued(claims.length);
    if (claims.length < PLACE_BATCH_MAX) return rescued;
  }
}
