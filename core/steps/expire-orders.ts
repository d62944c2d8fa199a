import type { ReleaseRow } from '../postgres/deliveries/releases.js';
import { expireRows } from '../postgres/orders/end-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { ordersExpired } from '../process/telemetry.js';
import type { JobData } from '../queue/jobs.js';
import type { StepContext } from './context.js';
import { inTurn } from './in-turn.js';
import { releaseUnits } from './release-units.js';

/** The most orders cancelled by one statement and released by one script, which take a few ms each. */
const EXPIRE_BATCH_MAX = 500;

/**
 * Cancels orders that were not paid in time, by Postgres's clock, and releases their units. A sale that Redis cannot
 * serve does not hold up other sales. Idempotent.
 *
 * @param job the `claimIds` of the orders to check; without them, every overdue order
 * @returns the number of orders cancelled
 * @throws Failures with NotVerified and the stores' errors: the caller retries
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
