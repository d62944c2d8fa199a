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
  const unplaced = differences.flatMap(d =>
    d.kind === 'outbox_missing' ? [{ claimId: d.claim.claimId, unit: d.claim.unit, buyerId: d.buyerId }] : [],
  );
  const struck = differences.flatMap(d => (d.kind === 'strikes_wrong' ? [d] : []));
  const missing = differences.flatMap(d => (d.kind === 'claim_missing' ? [d.order] : []));
  return [
    ...(await inBatches(released, orders => releaseAgain(ctx, orders))),
    ...(await inBatches(behind, orders => recordAgain(ctx, saleId, orders))),
    ...(await inBatches(unplaced, claims => placeAgain(ctx, saleId, claims))),
    ...(await inBatches(missing, orders => restoreAll(ctx, saleId, orders))),
    ...(await inBatches(struck, some => countAgain(ctx, saleId, some))),
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

/** Brings strikes to Redis. Of a buyer of whom Redis has no claim, the last one is restored with them. */
async function countAgain(
  ctx: StepContext,
  saleId: string,
  struck: Extract<Difference, { kind: 'strikes_wrong' }>[],
): Promise<Repair[]> {
  const lost = struck.flatMap(({ order, claim }) => (claim ? [] : [order]));
  const counts = struck.flatMap(({ order: { buyerId, strikes = 0 }, claim }) =>
    claim ? [{ buyerId, claimId: claim.claimId, seen: claim.strikes ?? 0, strikes }] : [],
  );
  const set = counts.length > 0 ? await setStrikes(ctx.redis, saleId, counts) : [];
  const counted = counts.filter((_, i) => set[i]);
  return [
    ...counted.map(({ claimId, strikes }): Repair => ({ kind: 'counted_strikes', claimId, detail: { strikes } })),
    ...(await restoreAll(ctx, saleId, lost)),
  ];
}
