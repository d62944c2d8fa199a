import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { expireRows } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersExpired } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import type { StepContext } from './context.js';
import { inTurn } from './in-turn.js';
import { releaseUnits } from './release-units.js';

/** How many orders end in one statement: a few ms, and one release script each for as many. */
const EXPIRE_BATCH_MAX = 500;

/**
 * Cancels orders that were not paid in time, by Postgres's clock, and releases their units. A sale that Redis can't serve holds up
 * neither the ends of others' orders nor their releases. Safe to repeat.
 *
 * @param ctx the stores
 * @param job its `claimIds` only; without, every overdue order
 * @returns how many were cancelled
 * @throws NotVerified, and what the stores throw: then do it again
 */
export async function expireOrders(
  ctx: StepContext,
  { claimIds }: Partial<JobData<'expire-orders'>> = {},
): Promise<number> {
  let expired = 0;
  await inTurn(expiredBatches(ctx, claimIds), async releases => {
    expired += releases.length;
    await releaseUnits(ctx, releases);
  });
  return expired;
}

async function* expiredBatches(ctx: StepContext, claimIds?: string[]): AsyncGenerator<ReleaseRow[]> {
  for (;;) {
    const releases = await crashStep('expire.end', () => expireRows(ctx.db, EXPIRE_BATCH_MAX, claimIds));
    await crashPoint('expire.ended');
    ordersExpired(releases.length);
    yield releases;
    if (releases.length < EXPIRE_BATCH_MAX) return;
  }
}
