import { type Difference, needsRebuild } from '../comparison/compare.js';
import { lastingDifferences } from '../comparison/lasting.js';
import { lookAt } from '../comparison/look.js';
import { type Repair, recordRepairs } from '../postgres/repairs.js';
import {
  overtakeGeneration,
  type RecentSale,
  readRecentSales,
  readSale,
  readSalesWithNewMoney,
} from '../postgres/sales.js';
import { crashPoint, crashStep } from '../process/crash-point.js';
import { repaired } from '../process/telemetry.js';
import type { Redis } from '../redis/connection.js';
import { adoptLayout } from '../redis/layout.js';
import { readMarked, unmarkChanged } from '../redis/marks.js';
import { isRegistryWhole, markRegistryWhole, readGenerations } from '../redis/registry.js';
import type { Facts } from '../redis/sale/content.js';
import { carryOver, readLoadedSale, readRunId, setSale } from '../redis/sale/sale.js';
import { inOpeningOrder, type Sale } from '../rules/sale.js';
import type { StepContext } from '../steps/context.js';
import { promoteWaiting } from '../steps/release-units.js';
import { fewAtOnce, inTurn } from '../values/in-turn.js';
import type { Progress, Reported } from '../values/progress.js';
import type { Pace } from './pace.js';
import { rebuild } from './rebuild.js';
import { repairAll } from './repair.js';

/** Options of {@link reconcile}. With `dryRun`, differences are listed and nothing is repaired. */
export interface ReconcileOptions extends Reported {
  dryRun?: boolean;
}

/** The differences that one comparison of a sale found between Redis and Postgres, and their repairs. */
export interface Reconciliation {
  saleId: string;
  differences: Difference[];
  repairs: Repair[];
}

/** For how long a change of a payment in Postgres makes its sale be compared, in s: a round may come late. */
const NEW_MONEY_SECONDS = 60;

/** The same for the first round of a process, in s: every worker may have been away for as long. */
const FIRST_NEW_MONEY_SECONDS = 86_400;

/** The sales of one server in a round, and the facts that decide which of them are visited. */
interface Round {
  server: Redis;
  /** The run of the server that is read: what is found holds for no other one. */
  runId: string;
  sales: RecentSale[];
  /** The sales that the server has, each with the generation that it knows. */
  listed: Map<string, number>;
  /** Whether every gate was opened in this run. */
  isWhole: boolean;
  /** The sales that have changed since they were compared, as their scripts, payments and operators tell. */
  changed: Set<string>;
  /** The sales whose gate was opened in this round. */
  reopened: Set<string>;
  hasFailed: boolean;
}

/** The servers of a cluster whose sales are opened at the same time. One that answers slowly must not hold up all others. */
const SERVERS_AT_ONCE = 4;

type Begun = Pick<Round, 'server' | 'runId'>;

/** The sales of Postgres that Redis should have. */
interface Expected {
  recent: RecentSale[];
  /** Those whose payments have changed. */
  paid: string[];
}

async function beginRound(
  { redis }: StepContext,
  { server, runId }: Begun,
  { recent, paid }: Expected,
): Promise<Round> {
  const own = recent.filter(({ id }) => redis.of(id) === server);
  const [listed, isWhole, marked] = await Promise.all([
    readGenerations(server),
    isRegistryWhole(server),
    readMarked(server, 'changed'),
  ]);
  const isAllOpen = isWhole && own.every(({ id }) => listed.has(id));
  const sales = isAllOpen ? own : inOpeningOrder(own, Date.now());
  const changedHere = sales.filter(({ id, generation }) => listed.get(id) !== generation).map(({ id }) => id);
  const changed = new Set([...marked, ...paid, ...changedHere]);
  return { server, runId, sales, listed, isWhole, changed, reopened: new Set(), hasFailed: false };
}

/**
 * Compares the sales that Redis should have with Postgres, and repairs the differences. Sales that Redis lost are
 * rebuilt. A sale that was not compared in this run of Redis refuses everything: its gate is opened first.
 *
 * @param pace decides which sales are visited, by what has changed; all without it
 * @returns the comparisons of this round
 * @throws Failures with every error, after every sale of every server was tried; each repair is one script or one transaction, so
 *   the next round continues
 */
export async function reconcileAll(ctx: StepContext, pace?: Pace): Promise<Reconciliation[]> {
  await adoptLayout(ctx.redis);
  const begun: Begun[] = [];
  const rounds: Round[] = [];
  const results: Reconciliation[] = [];
  // A server that is away keeps no sale of another one from being compared.
  const beganAtMs = performance.now();
  const identify = () =>
    fewAtOnce(ctx.redis.shards.length, ctx.redis.shards, async server => {
      begun.push({ server, runId: await readRunId(server) });
    });
  const begin = async () => {
    // Postgres is read last. A sale that is created later is not expected, and a run that began later is not marked.
    const seconds = pace?.isNew ? FIRST_NEW_MONEY_SECONDS : NEW_MONEY_SECONDS;
    const [recent, paid] = await Promise.all([readRecentSales(ctx.db), readSalesWithNewMoney(ctx.db, seconds)]);
    await inTurn(begun, async one => void rounds.push(await beginRound(ctx, one, { recent, paid })));
  };
  // All gates are opened before any repair, so that no sale refuses claims while another is repaired.
  const open = () =>
    fewAtOnce(SERVERS_AT_ONCE, rounds, round => visitSales(round, saleId => openIfShut(ctx, round, saleId)));
  const compareOne = async (round: Round, saleId: string) => {
    // Another gate may be shut since this round began, and the next round opens it. A sale that is behind is not left so.
    if (pace?.isWaitedFor(beganAtMs) && !round.reopened.has(saleId)) return;
    const sales = rounds.reduce((sum, one) => sum + one.sales.length, 0);
    results.push(...(await compareIfDue(ctx, round, { saleId, pace, sales })));
  };
  const compare = () => inTurn(rounds, round => visitSales(round, saleId => compareOne(round, saleId)));
  const finish = () => inTurn(rounds, round => markWhole(ctx, round));
  await inTurn([identify, begin, open, compare, finish], step => step());
  return results;
}

async function visitSales(round: Round, visit: (saleId: string) => Promise<void>): Promise<void> {
  const saleIds = round.sales.map(({ id }) => id);
  await inTurn(saleIds, visit, saleId => `sale ${saleId}`).catch(error => {
    round.hasFailed = true;
    throw error;
  });
}

async function openIfShut(ctx: StepContext, round: Round, saleId: string): Promise<void> {
  const { listed, isWhole, changed, runId, reopened } = round;
  if (!listed.has(saleId)) await rebuild(ctx, saleId);
  else if ((!isWhole || changed.has(saleId)) && (await readLoadedSale(ctx.redis, saleId))?.runId !== runId) {
    const sale = await readSale(ctx.db, saleId);
    if (!sale) return;
    const comparison = await look(ctx, sale);
    await openGate(ctx, sale, comparison);
    if (isBehind(sale, comparison)) reopened.add(saleId);
  }
}

async function compareIfDue(
  ctx: StepContext,
  { changed, reopened }: Round,
  { saleId, pace, sales }: { saleId: string; pace: Pace | undefined; sales: number },
): Promise<Reconciliation[]> {
  const isChanged = changed.has(saleId);
  // A sale whose gate was just opened may have missed changes while Redis was away. It is repaired at once.
  if (!reopened.has(saleId) && pace?.isDue(saleId, { isChanged, sales }) === false) return [];
  const startedAt = performance.now();
  const result = await reconcile(ctx, saleId);
  pace?.compared(saleId, { tookMs: performance.now() - startedAt, isChanged });
  return result ? [result] : [];
}

/** Marks the registry of a server as complete, unless a gate could not be opened, or a sale not be compared. */
async function markWhole(ctx: StepContext, { server, runId, sales, hasFailed }: Round): Promise<void> {
  if (hasFailed) return;
  const saleIds = sales.map(({ id }) => id);
  if (!(await markRegistryWhole(server, runId, saleIds))) ctx.log.warn('Redis lost a sale while it was compared');
}

/**
 * Compares one sale in Redis with Postgres, and repairs the differences claim by claim.
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

/** The settings and counts of one sale in Redis, and its differences from Postgres. */
interface Comparison {
  /** The id of the run of Redis that was read. Redis gets a new one at each start. */
  runId: string;
  /** Undefined when Redis does not have the sale. */
  facts: Facts | undefined;
  differences: Difference[];
}

/**
 * Compares again while the sale's gate is open, as claims in flight look like differences. A shut gate makes every script refuse, so
 * nothing moves, and one look is enough.
 */
async function look(ctx: StepContext, sale: Sale, progress?: Progress): Promise<Comparison> {
  const runId = await readRunId(ctx.redis.of(sale.id));
  const seen = await lookAt(ctx, sale.id, progress);
  const isOpen = seen?.facts.runId === runId;
  const differences = seen && isOpen ? await lastingDifferences(ctx, sale.id, seen) : (seen?.differences ?? []);
  await crashPoint('reconcile.compared');
  return { runId, facts: seen?.facts, differences };
}

/** Tells whether a comparison has found something to repair. */
function isBehind(sale: Sale, { facts, differences }: Comparison): boolean {
  if (!facts) return false;
  return differences.length > 0 || facts.generation < sale.generation || isPromotable(facts);
}

/** Tells whether units are free although buyers are on standby, whose order was made. */
function isPromotable({ free, waiting, line }: Facts): boolean {
  return free > 0 && waiting > 0 && line !== 'joining';
}

/**
 * The outcome of opening the gate of a sale, which lets its scripts answer again. `rebuilt`: Redis got the sale from
 * scratch, so the comparison is stale. There are no repairs if another worker rebuilt it.
 */
type GateOutcome = { kind: 'open' } | { kind: 'rebuilt'; repairs: Repair[] };

/**
 * Opens the gate of a sale that was not compared in this run of Redis: its scripts answer again. A sale that single
 * repairs cannot mend is rebuilt from scratch.
 */
async function openGate(ctx: StepContext, sale: Sale, comparison: Comparison & Reported): Promise<GateOutcome> {
  const { runId, facts, differences, progress } = comparison;
  if (!facts || needsRebuild(differences, facts.runId === runId)) {
    const claims = await rebuild(ctx, sale.id, { progress });
    const kind = facts ? 'rebuilt' : 'loaded';
    return { kind: 'rebuilt', repairs: claims === undefined ? [] : [{ kind, detail: { claims } }] };
  }
  if (facts.runId !== runId) {
    // The state is taken from Postgres, as an operator may have paused or closed the sale while Redis was away.
    const { state, generation } = await latestOf(ctx, sale, facts);
    const opening = { runId, state, stateGeneration: generation };
    await crashStep('reconcile.verify', () => setSale(ctx.redis, sale.id, opening, { generation }));
    await crashPoint('reconcile.opened');
  }
  return { kind: 'open' };
}

/**
 * Reads the sale from Postgres. If Redis knows a later generation, which counts the operator's changes, Postgres was
 * restored from a copy. Its generation is then raised, since Redis ignores older ones.
 */
async function latestOf(ctx: StepContext, sale: Sale, { latestGeneration }: Facts): Promise<Sale> {
  if (latestGeneration <= sale.generation) return sale;
  await overtakeGeneration(ctx.db, sale.id, latestGeneration);
  return (await readSale(ctx.db, sale.id)) ?? sale;
}

async function reconcileSale(
  ctx: StepContext,
  read: Sale,
  { dryRun = false, progress }: ReconcileOptions = {},
): Promise<Reconciliation> {
  const comparison = await look(ctx, read, progress);
  const { facts, differences } = comparison;
  const result: Reconciliation = { saleId: read.id, differences, repairs: [] };
  if (dryRun) return result;
  const gate = await openGate(ctx, read, { ...comparison, progress });
  if (gate.kind === 'rebuilt' || !facts) return { ...result, repairs: gate.kind === 'rebuilt' ? gate.repairs : [] };
  const sale = await latestOf(ctx, read, facts);
  if (facts.generation < sale.generation) result.repairs.push(await bringUpToDate(ctx, sale));
  result.repairs.push(...(await repairAll(ctx, sale.id, differences)));
  if (isPromotable(facts)) result.repairs.push(...(await promoteAgain(ctx, sale.id)));
  if (result.repairs.length > 0) await crashPoint('reconcile.repaired');
  await crashStep('reconcile.note', () => recordRepairs(ctx.db, sale.id, result.repairs));
  for (const kind of new Set(result.repairs.map(repair => repair.kind))) {
    repaired(kind, result.repairs.filter(repair => repair.kind === kind).length, sale.id);
  }
  await unmarkChanged(ctx.redis, sale.id, facts.version);
  return result;
}

/** Copies to Redis an operator's change that so far reached only Postgres. */
async function bringUpToDate(ctx: StepContext, sale: Sale): Promise<Repair> {
  const { state, generation, units } = sale;
  await carryOver(ctx.redis, sale);
  return { kind: 'updated', detail: { state, generation, units } };
}

async function promoteAgain(ctx: StepContext, saleId: string): Promise<Repair[]> {
  const promoted = await promoteWaiting(ctx, saleId);
  return promoted.map(({ claimId, unit }) => ({ kind: 'promoted', claimId, detail: { unit } }));
}
