import { repaired } from '../events.js';
import { inTurn } from '../in-turn.js';
import { claimStatusOf } from '../order.js';
import { readReleases } from '../orders/release-event.js';
import { type Repair, readLatestOrders, recordRepairs } from '../orders/sale-orders.js';
import { listRecentSales, readSale } from '../orders/sales.js';
import type { Sale } from '../sale.js';
import type { StepContext } from '../steps/context.js';
import { placeOrders } from '../steps/place-orders.js';
import { queuePromoted, releaseUnits } from '../steps/release-units.js';
import { promote } from '../stock/release.js';
import { restoreClaim } from '../stock/restore.js';
import { markRegistryWhole, readRunId, restock, setSale } from '../stock/sale.js';
import { readSnapshot } from '../stock/snapshot.js';
import { recordStatus } from '../stock/status.js';
import { compare, type Difference } from './compare.js';
import { rebuild } from './rebuild.js';

/** What one comparison of a sale found and did. */
export interface Reconciliation {
  saleId: string;
  differences: Difference[];
  repairs: Repair[];
}

/**
 * Compares every sale that is not long over, repairs what differs, and opens the gate of those that Redis lost or that this
 * run of Redis hasn't seen compared.
 *
 * @param ctx the stores
 * @returns what was found and done, sale by sale
 * @throws what the stores throw: every repair is one script or one transaction, so the next run goes on from there
 */
export async function reconcileAll(ctx: StepContext): Promise<Reconciliation[]> {
  const runId = await readRunId(ctx.redis);
  const results: Reconciliation[] = [];
  await inTurn(await listRecentSales(ctx.db), async sale => {
    results.push(await reconcileSale(ctx, sale, false));
  });
  await markRegistryWhole(ctx.redis, runId);
  return results;
}

/**
 * Compares one sale in both stores and repairs what differs, claim by claim.
 *
 * @param ctx the stores
 * @param saleId the sale
 * @param dryRun true to look only
 * @returns what was found and done, or undefined when Postgres has no such sale
 */
export async function reconcile(
  ctx: StepContext,
  saleId: string,
  dryRun: boolean,
): Promise<Reconciliation | undefined> {
  const sale = await readSale(ctx.db, saleId);
  return sale && reconcileSale(ctx, sale, dryRun);
}

async function reconcileSale(ctx: StepContext, sale: Sale, dryRun: boolean): Promise<Reconciliation> {
  const runId = await readRunId(ctx.redis);
  const snapshot = await readSnapshot(ctx.redis, sale.id);
  const differences = snapshot ? compare(snapshot, await readLatestOrders(ctx.db, sale.id)) : [];
  const result: Reconciliation = { saleId: sale.id, differences, repairs: [] };
  if (dryRun) return result;
  if (!snapshot || needsRebuild(differences, snapshot.runId === runId)) {
    await rebuild(ctx, sale.id);
    result.repairs.push({ kind: snapshot ? 'rebuilt' : 'loaded', detail: { differences: differences.length } });
  } else {
    if (snapshot.runId !== runId) await setSale(ctx.redis, sale.id, { runId });
    if (snapshot.generation !== sale.generation) result.repairs.push(await bringUpToDate(ctx, sale));
    for (const difference of differences) result.repairs.push(...(await repair(ctx, sale.id, difference)));
    if (snapshot.stock.length > 0 && snapshot.standby.length > 0) {
      result.repairs.push(...(await promoteWaiting(ctx, sale.id)));
    }
    await recordRepairs(ctx.db, sale.id, result.repairs);
  }
  for (const { kind } of result.repairs) repaired(kind, 1, sale.id);
  return result;
}

/**
 * A rebuild mends everything at the price of a closed gate for a moment: when Redis doesn't agree with itself about units, and
 * for every difference in a run of Redis that isn't verified, as Redis has lost something then.
 */
function needsRebuild(differences: Difference[], verified: boolean): boolean {
  if (!verified) return differences.some(({ kind }) => kind !== 'status_behind' && kind !== 'release_missing');
  return differences.some(({ kind }) => kind === 'units_wrong');
}

async function repair(ctx: StepContext, saleId: string, difference: Difference): Promise<Repair[]> {
  switch (difference.kind) {
    case 'claim_missing': {
      const { claimId, buyerId, unit, payByMs, status } = difference.order;
      const claim = { claimId, buyerId, unit, payByMs, status: claimStatusOf(status) };
      const outcome = await restoreClaim(ctx.redis, saleId, claim);
      return outcome === 'restored' ? [{ kind: 'restored_claim', claimId, detail: { unit } }] : [];
    }
    case 'release_missing': {
      const { claimId } = difference.order;
      await releaseUnits(ctx, await readReleases(ctx.db, [claimId]));
      return [{ kind: 'released_claim', claimId, detail: { unit: difference.order.unit } }];
    }
    case 'status_behind': {
      const { claimId, status } = difference.order;
      await recordStatus(ctx.redis, saleId, [{ ...difference.order, status: claimStatusOf(status) }]);
      return [{ kind: 'recorded_status', claimId, detail: { status } }];
    }
    case 'outbox_missing': {
      const { claimId, unit } = difference.claim;
      await placeOrders(ctx, saleId, [{ claimId, unit, buyerId: difference.buyerId }]);
      return [{ kind: 'placed_claim', claimId, detail: { unit } }];
    }
    case 'units_wrong':
      throw new Error(`sale ${saleId}: wrong units are mended by a rebuild`);
  }
}

/** The operator's change reached Postgres and not Redis. */
async function bringUpToDate(ctx: StepContext, sale: Sale): Promise<Repair> {
  const { id, state, generation } = sale;
  const added = await restock(ctx.redis, sale);
  await setSale(ctx.redis, id, { state, generation });
  return { kind: 'updated', detail: { state, generation, added } };
}

async function promoteWaiting(ctx: StepContext, saleId: string): Promise<Repair[]> {
  const promoted = await promote(ctx.redis, saleId);
  await queuePromoted(ctx, saleId, promoted);
  return promoted.map(({ claimId, unit }) => ({ kind: 'promoted', claimId, detail: { unit } }));
}
