import type { Difference } from '../comparison/compare.js';
import { readReleases } from '../postgres/deliveries/releases.js';
import type { Repair } from '../postgres/repairs.js';
import { RELEASE_BATCH_MAX } from '../redis/claims/release.js';
import { restoreClaim } from '../redis/claims/restore.js';
import { recordStatus } from '../redis/claims/status.js';
import { setStrikes } from '../redis/claims/strikes.js';
import type { Claim } from '../rules/claim.js';
import { claimOf, type Order } from '../rules/order.js';
import type { StepContext } from '../steps/context.js';
import { placeOrders } from '../steps/place-orders.js';
import { releaseUnits } from '../steps/release-units.js';
import { chunks } from '../values/chunks.js';

/**
 * Repairs what differs between Redis and Postgres in one sale. Differences of one kind, such as missing releases, are
 * repaired together, as an outage may leave thousands of them.
 */
export async function repairAll(
  ctx: StepContext,
  saleId: string,
  differences: readonly Difference[],
): Promise<Repair[]> {
  const released = differences.flatMap(d => (d.kind === 'release_missing' ? [d.order] : []));
  const behind = differences.flatMap(d => (d.kind === 'status_behind' ? [d.order] : []));
  const unplaced = differences.flatMap(d => (d.kind === 'outbox_missing' ? [{ ...d.claim, buyerId: d.buyerId }] : []));
  const missing = differences.flatMap(d => (d.kind === 'claim_missing' ? [d.order] : []));
  const miscounted = differences.filter(d => d.kind === 'strikes_wrong');
  return [
    ...(await inBatches(released, orders => releaseAgain(ctx, orders))),
    ...(await inBatches(behind, orders => recordAgain(ctx, saleId, orders))),
    ...(await inBatches(unplaced, claims => placeAgain(ctx, saleId, claims))),
    ...(await inBatches(missing, orders => restoreAll(ctx, saleId, orders))),
    ...(await inBatches(miscounted, some => countAgain(ctx, saleId, some))),
  ];
}

async function inBatches<T>(all: readonly T[], run: (batch: T[]) => Promise<Repair[]>): Promise<Repair[]> {
  const repairs: Repair[] = [];
  for (const batch of chunks(all, RELEASE_BATCH_MAX)) repairs.push(...(await run(batch)));
  return repairs;
}

async function releaseAgain(ctx: StepContext, orders: Order[]): Promise<Repair[]> {
  const releases = await readReleases(
    ctx.db,
    orders.map(order => order.claimId),
  );
  await releaseUnits(ctx, releases);
  return releases.map(({ claimId, reason }) => ({ kind: 'released_claim', claimId, detail: { reason } }));
}

async function recordAgain(ctx: StepContext, saleId: string, orders: Order[]): Promise<Repair[]> {
  const held = await recordStatus(ctx.redis, saleId, orders.map(claimOf));
  const recorded = orders.filter((_, i) => held[i]);
  return recorded.map(({ claimId, status }) => ({ kind: 'recorded_status', claimId, detail: { status } }));
}

async function placeAgain(ctx: StepContext, saleId: string, claims: Claim[]): Promise<Repair[]> {
  await placeOrders(ctx, { saleId, claims });
  return claims.map(({ claimId, unit }) => ({ kind: 'placed_claim', claimId, detail: { unit } }));
}

async function restoreAll(ctx: StepContext, saleId: string, orders: Order[]): Promise<Repair[]> {
  const repairs: Repair[] = [];
  for (const order of orders) {
    const outcome = await restoreClaim(ctx.redis, saleId, claimOf(order));
    if (outcome !== 'restored') continue;
    repairs.push({ kind: 'restored_claim', claimId: order.claimId, detail: { unit: order.unit } });
  }
  return repairs;
}

/** A buyer whose claim Redis has lost gets the ended one back, and the number with it. */
async function countAgain(
  ctx: StepContext,
  saleId: string,
  differences: Extract<Difference, { kind: 'strikes_wrong' }>[],
): Promise<Repair[]> {
  const repairs: Repair[] = [];
  for (const { order, claim } of differences) {
    const { buyerId, claimId, strikes = 0 } = order;
    const isMended = claim
      ? await setStrikes(ctx.redis, saleId, { buyerId, claim, strikes })
      : (await restoreClaim(ctx.redis, saleId, claimOf(order))) === 'restored';
    if (isMended) repairs.push({ kind: 'counted_strikes', claimId, detail: { strikes } });
  }
  return repairs;
}
