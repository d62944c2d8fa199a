import { crashPoint, crashStep } from '../crash-point.js';
import { ordersExpired } from '../events.js';
import { expireOrders as expire } from '../orders/end.js';
import type { StepContext } from './context.js';
import { releaseUnits } from './release-units.js';

/** How many orders end in one statement: a few ms, and one release script each for as many. */
const EXPIRE_BATCH_MAX = 500;

/**
 * Cancels orders that were not paid in time, by Postgres's clock, and releases their units. Safe to repeat.
 *
 * @param ctx the stores
 * @param claimIds only these; without, all that are overdue
 * @returns how many were cancelled
 * @throws NotVerified, and what the stores throw: then do it again
 */
export async function expireOrders(ctx: StepContext, claimIds?: string[]): Promise<number> {
  let expired = 0;
  for (;;) {
    const events = await crashStep('expire.end', () => expire(ctx.db, EXPIRE_BATCH_MAX, claimIds));
    await crashPoint('expire.ended');
    ordersExpired(events.length);
    expired += events.length;
    await releaseUnits(ctx, events);
    if (events.length < EXPIRE_BATCH_MAX) return expired;
  }
}
