import { type ReleaseRow, readReleases } from '../postgres/deliveries/releases.js';
import { isDataError } from '../postgres/failure.js';
import { insertTombstones } from '../postgres/orders/end-orders.js';
import { insertOrders, type Placement } from '../postgres/orders/insert-orders.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { claimsGivenUp, enqueueFailed, ordersPaid, ordersPlaced, ordersRejected } from '../process/telemetry.js';
import { enqueueExpireDue } from '../queue/enqueue.js';
import { recordStatus } from '../redis/claims/status.js';
import { confirmPlaced } from '../redis/purchases/purchases.js';
import type { Claim } from '../rules/claim.js';
import { claimOf, isLiveOrder, type Order } from '../rules/order.js';
import type { StepContext } from './context.js';
import { giveUp } from './give-up.js';
import { releaseUnits } from './release-units.js';

/** Claims of one sale. */
export interface SaleClaims {
  saleId: string;
  claims: Claim[];
}

/**
 * Turns claims into orders in Postgres and records their statuses in Redis, which removes them from the outbox. A
 * delayed job will expire unpaid orders. Claims that cannot become orders get a tombstone, which stops them for good,
 * and are released. Idempotent, even for claims placed long ago.
 *
 * @param batch at most {@link PLACE_BATCH_MAX} claims
 * @throws NotVerified and the stores' errors: the job is retried, and rescue places the claims as well
 */
export async function placeOrders(ctx: StepContext, { saleId, claims }: SaleClaims): Promise<void> {
  const { placed, known, conflicting } = await placeOrSplit(ctx, saleId, claims);
  await crashPoint('place.stored');
  tellPlaced(placed);
  if (conflicting.length > 0) {
    const releases = await crashStep('place.give-up', () =>
      giveUp(ctx, { saleId, claims: conflicting, why: 'conflict' }),
    );
    await crashPoint('place.given-up');
    await releaseUnits(ctx, releases);
  }
  const orders = [...placed, ...known];
  await recordLive(
    ctx,
    saleId,
    orders.filter(order => isLiveOrder(order.status)),
  );
  await releaseEnded(
    ctx,
    orders.filter(order => !isLiveOrder(order.status)),
  );
}

function tellPlaced(placed: Order[]): void {
  const live = placed.filter(order => isLiveOrder(order.status));
  ordersPlaced(live.length);
  ordersRejected(placed.length - live.length);
  ordersPaid(live.filter(order => order.status === 'paid').length);
}

/**
 * Turns a batch of claims into orders. A batch that Postgres refuses is halved until the refused claim stands alone.
 * Only that claim is given up, so it does not hold up its batch.
 */
async function placeOrSplit(ctx: StepContext, saleId: string, claims: Claim[]): Promise<Placement> {
  try {
    return await crashStep('place.store', () => insertOrders(ctx.db, saleId, claims));
  } catch (error) {
    if (!isDataError(error)) throw error;
    if (claims.length === 1) return refuse(ctx, saleId, claims, error);
    const middle = Math.ceil(claims.length / 2);
    const first = await placeOrSplit(ctx, saleId, claims.slice(0, middle));
    const second = await placeOrSplit(ctx, saleId, claims.slice(middle));
    return {
      placed: [...first.placed, ...second.placed],
      known: [...first.known, ...second.known],
      conflicting: [...first.conflicting, ...second.conflicting],
    };
  }
}

async function refuse(ctx: StepContext, saleId: string, claims: Claim[], error: unknown): Promise<Placement> {
  claimsGivenUp('refused', saleId, claims, error);
  await releaseUnits(ctx, await tombstones(ctx, saleId, claims));
  return { placed: [], known: [], conflicting: [] };
}

/**
 * Inserts tombstones, the rows that keep claims from becoming orders, and returns the releases. A claim that Postgres
 * refuses even so cannot be released: it stays in the outbox, where the audit reports it.
 */
async function tombstones(ctx: StepContext, saleId: string, claims: Claim[]): Promise<ReleaseRow[]> {
  try {
    return await insertTombstones(ctx.db, { saleId, claims, reason: 'not_placed' });
  } catch (error) {
    if (!isDataError(error)) throw error;
    return [];
  }
}

async function recordLive(ctx: StepContext, saleId: string, live: Order[]): Promise<void> {
  if (live.length === 0) return;
  const { confirmed: orders, error } = await confirmPlaced(ctx.redis, saleId, live);
  // The claims of buyers whose node is away stay in the outbox. Rescue tries again, and the others do not wait.
  if (error) ctx.log.warn({ err: error, saleId }, 'some purchase locks are confirmed later');
  if (orders.length === 0) return;
  await crashPoint('place.confirmed');
  await crashStep('place.record', () => recordStatus(ctx.redis, saleId, orders.map(claimOf)));
  await crashPoint('place.recorded');
  const pending = orders.filter(order => order.status === 'pending_payment');
  if (pending.length === 0) return;
  // Units that came back unpaid have less time than the others of the batch.
  const deadlines = [...new Set(pending.map(order => order.payByMs))];
  try {
    await crashStep('place.queue-expiry', () =>
      Promise.all(deadlines.map(payByMs => enqueueExpireDue(ctx.queues, saleId, payByMs))),
    );
  } catch (error) {
    // If queueing the expiry fails, the maintenance actor expire-overdue still finds and cancels these orders after
    // their deadline.
    enqueueFailed('expire-due', error);
  }
}

/** Releases the units of orders that ended before Redis recorded them: rejected when placed, or given up earlier. */
async function releaseEnded(ctx: StepContext, orders: Order[]): Promise<void> {
  if (orders.length === 0) return;
  const claimIds = orders.map(order => order.claimId);
  await releaseUnits(ctx, await readReleases(ctx.db, claimIds));
}
