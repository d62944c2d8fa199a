import type { Difference } from '../comparison/compare.js';
import { differencesNow, lastingDifferences } from '../comparison/lasting.js';
import { type Repair, recordRepairs } from '../postgres/repairs.js';
import { overtakeGeneration, readRecentSales, readSale } from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { repaired } from '../process/telemetry.js';
import { markRegistryWhole, readLoadedSaleIds } from '../redis/registry.js';
import { carryOver, readLoadedSale, readRunId, setSale } from '../redis/sale/sale.js';
import { readSnapshot, type Snapshot } from '../redis/sale/snapshot.js';
import type { Sale } from '../rules/sale.js';
import type { StepContext } from '../steps/context.js';
import { inTurn } from '../steps/in-turn.js';
import { promoteWaiting } from '../steps/release-units.js';
import { Pace } from './pace.js';
import { rebuild } from './rebuild.js';
import { repairAll } from './repair.js';

/** With `dryRun` the comparison changes nothing. */
export interface ReconcileOptions {
  dryRun?: boolean;
}

/** The differences and repairs of one comparison. */
export interface Reconciliation {
  saleId: string;
  differences: Difference[];
  repairs: Repair[];
}

/**
 * Compares every sale that Redis should have, repairs the differences, and opens the gate of sales that Redis lost or
 * that were not compared in this run of Redis.
 *
 * @param pace decides when a sale with an open gate is compared again
 * @returns the comparisons of sales with an open gate
 * @throws the first error, after every sale was tried; each repair is one script or one transaction, so the next round
 * continues
 */
export async function reconcileAll(ctx: StepContext, pace = new Pace()): Promise<Reconciliation[]> {
  const runId = await readRunId(ctx.redis);
  const results: Reconciliation[] = [];
  const sales = await readRecentSales(ctx.db);
  // Gates come first, so that no sale stays shut while another is repaired.
  const listed = new Set(await readLoadedSaleIds(ctx.redis));
  const reopened = new Set<string>();
  const open = async (sale: Sale) => {
    if (!listed.has(sale.id)) await rebuild(ctx, sale.id);
    else if ((await readLoadedSale(ctx.redis, sale.id))?.runId !== runId) {
      await openGate(ctx, sale, await look(ctx, sale));
      reopened.add(sale.id);
    }
  };
  const compare = async (sale: Sale) => {
    // A Redis that came back has missed changes, which are repaired at once.
    if (!reopened.has(sale.id) && !pace.isDue(sale.id)) return;
    const startedAt = performance.now();
    results.push(await reconcileSale(ctx, sale));
    pace.compared(sale.id, performance.now() - startedAt);
  };
  // A sale that cannot be opened does not keep others from being compared, but the registry is then not complete.
  await inTurn([open, compare], step => inTurn(sales, step));
  const saleIds = sales.map(({ id }) => id);
  if (!(await markRegistryWhole(ctx.redis, runId, saleIds))) ctx.log.warn('Redis lost a sale while it was compared');
  return results;
}

/**
 * Compares one sale in both stores and repairs the differences, claim by claim.
 *
 * @returns the differences and repairs; undefined when Postgres has no such sale
 */
export async function reconcile(
  ctx: StepContext,
  saleId: string,
  options: ReconcileOptions = {},
): Promise<Reconciliation | undefined> {
  const sale = await readSale(ctx.db, saleId);
  return sale && reconcileSale(ctx, sale, options);
}

/** The content of Redis for a sale, and its differences from Postgres. */
interface Comparison {
  /** The run of Redis that was read. */
  runId: string;
  snapshot: Snapshot | undefined;
  differences: Difference[];
}

async function look(ctx: StepContext, sale: Sale): Promise<Comparison> {
  const runId = await readRunId(ctx.redis);
  const snapshot = await readSnapshot(ctx.redis, sale.id);
  const differences = snapshot ? await differencesOf(ctx, snapshot, snapshot.runId === runId, sale.id) : [];
  await crashPoint('reconcile.compared');
  return { runId, snapshot, differences };
}

/**
 * Behind an open gate something is always in flight. Behind a shut gate nothing moves, and buyers wait, so one
 * comparison is enough.
 */
async function differencesOf(
  ctx: StepContext,
  snapshot: Snapshot,
  open: boolean,
  saleId: string,
): Promise<Difference[]> {
  return open
    ? lastingDifferences({ db: ctx.db, redis: ctx.redis }, saleId, snapshot)
    : differencesNow(ctx.db, saleId, snapshot);
}

/**
 * The gate is `open`, or the sale was `rebuilt`, which makes the comparison stale. Another worker's rebuild leaves no
 * repair of ours.
 */
type GateOutcome = { kind: 'open' } | { kind: 'rebuilt'; repairs: Repair[] };

/** Opens a sale that was not compared in this run of Redis, and rebuilds one that single repairs cannot mend. */
async function openGate(ctx: StepContext, sale: Sale, comparison: Comparison): Promise<GateOutcome> {
  const { runId, snapshot, differences } = comparison;
  if (!snapshot || needsRebuild(differences, snapshot.runId === runId)) {
    const claims = await rebuild(ctx, sale.id);
    const kind = snapshot ? 'rebuilt' : 'loaded';
    return { kind: 'rebuilt', repairs: claims === undefined ? [] : [{ kind, detail: { claims } }] };
  }
  if (snapshot.runId !== runId) {
    // An operator may have paused or closed the sale while Redis was away.
    const { state, generation } = await latestOf(ctx, sale, snapshot);
    const opening = { runId, state, stateGeneration: generation };
    await crashStep('reconcile.verify', () => setSale(ctx.redis, sale.id, opening, { generation }));
    await crashPoint('reconcile.opened');
  }
  return { kind: 'open' };
}

/** Reads the sale from Postgres, in a generation that Redis accepts. */
async function latestOf(ctx: StepContext, sale: Sale, { latestGeneration }: Snapshot): Promise<Sale> {
  if (latestGeneration <= sale.generation) return sale;
  await overtakeGeneration(ctx.db, sale.id, latestGeneration);
  return (await readSale(ctx.db, sale.id)) ?? sale;
}

async function reconcileSale(
  ctx: StepContext,
  read: Sale,
  { dryRun = false }: ReconcileOptions = {},
): Promise<Reconciliation> {
  const comparison = await look(ctx, read);
  const { snapshot, differences } = comparison;
  const result: Reconciliation = { saleId: read.id, differences, repairs: [] };
  if (dryRun) return result;
  const gate = await openGate(ctx, read, comparison);
  if (gate.kind === 'rebuilt' || !snapshot) return { ...result, repairs: gate.kind === 'rebuilt' ? gate.repairs : [] };
  const sale = await latestOf(ctx, read, snapshot);
  if (snapshot.generation < sale.generation) result.repairs.push(await bringUpToDate(ctx, sale));
  result.repairs.push(...(await repairAll(ctx, sale.id, differences)));
  if (snapshot.stock.length > 0 && snapshot.standby.length > 0) {
    result.repairs.push(...(await promoteAgain(ctx, sale.id)));
  }
  if (result.repairs.length > 0) await crashPoint('reconcile.repaired');
  await crashStep('reconcile.note', () => recordRepairs(ctx.db, sale.id, result.repairs));
  for (const kind of new Set(result.repairs.map(repair => repair.kind))) {
    repaired(kind, result.repairs.filter(repair => repair.kind === kind).length, sale.id);
  }
  return result;
}

/**
 * A rebuild mends everything and shuts the gate for a moment. It is needed when Redis contradicts itself about units,
 * and for every difference in an unverified run of Redis, since that run has lost something.
 */
function needsRebuild(differences: Difference[], verified: boolean): boolean {
  if (!verified) return differences.some(({ kind }) => kind !== 'status_behind' && kind !== 'release_missing');
  return differences.some(({ kind }) => kind === 'units_wrong');
}

/** Copies an operator's change that reached Postgres and not Redis. */
async function bringUpToDate(ctx: StepContext, sale: Sale): Promise<Repair> {
  const { state, generation, units } = sale;
  await carryOver(ctx.redis, sale);
  return { kind: 'updated', detail: { state, generation, units } };
}

async function promoteAgain(ctx: StepContext, saleId: string): Promise<Repair[]> {
  const promoted = await promoteWaiting(ctx, saleId);
  return promoted.map(({ claimId, unit }) => ({ kind: 'promoted', claimId, detail: { unit } }));
}
