import { percentile } from '../support/percentile.js';
import { STRIKES } from './history/checks/holding.js';
import { groupBy, type OrderFacts } from './history/claim-view.js';
import type { Evidence } from './history/evidence.js';
import type { PaymentFacts } from './history/payment-facts.js';
import type { FaultNote, FaultReport } from './nemesis/nemesis.js';
import { GIVE_UP_MS, type Probe } from './workload/probe.js';

/** The distribution of some durations, in ms. */
export interface Spread {
  p50: number;
  p99: number;
  max: number;
}

/** The summary of a run of chaos. */
export interface ChaosResult {
  seed: number;
  minutes: number;
  operations: number;
  kills: FaultReport['kills'];
  /** The number of broken links, beside the kills. */
  links: number;
  /** The faults of the Redis Cluster; only of a run on one. */
  redis?: NonNullable<FaultReport['redis']>;
  /** Different claims in answers to clients. */
  accepted: number;
  /** Orders. */
  placed: number;
  /** Claims that their buyers read as rejected because Redis had lost them. */
  lost: number;
  violations: string[];
  money: MoneyCounts;
  holding: HoldingCounts;
  /** Only of a run with draws. */
  draws?: DrawCounts;
  /** The time from a fault until the claim of a fresh buyer is placed. */
  recoveryMs: Spread;
  /** The same for each kind of fault. */
  recoveryMsOf: Record<string, Spread & { count: number }>;
  /** The time from the first answer with a claim until its order. */
  placingMs: Spread;
}

/** Counts of the draws of a run. They show what a run has tried. */
export interface DrawCounts {
  draws: number;
  /** Entries in the published lists, and entries that came back after the close. */
  listed: number;
  late: number;
  /** Buyers who have the receipt of an entry. */
  receipts: number;
  /** Reads of an order that was made. */
  reads: number;
  /** Faults in the 3 s after an opening, in which orders are made. */
  faultsWhileOrdering: number;
  losses: FaultReport['losses'];
}

/** Counts of payments through the provider. They show what a run has tried. */
export interface MoneyCounts {
  paidElsewhere: number;
  /** Payments that succeeded after an earlier payment for the order had failed. */
  paidAtLast: number;
  /** Late payments that won a unit again. */
  regrabbed: number;
  /** Late payments that went back. */
  returned: number;
  /** Payments that the shop refunded, through any provider. */
  refunded: number;
}

/** Counts of what sales did about buyers who hold without paying, and of passes. They show what a run has tried. */
export interface HoldingCounts {
  /** Ends without payment in sales that count them. */
  strikes: number;
  /** Clicks that were refused for them: at the limit, and because others come first. */
  limited: number;
  othersFirst: number;
  /** Clicks that were refused as the buyer's group had its units. */
  crowded: number;
  /** Clicks that were accepted with a pass, and those that were refused without one. */
  passes: number;
  passless: number;
}

/** A run of this length has enough faults to be judged by their number, in minutes. */
const FULL_MINUTES = 3;
const KILLS_MIN = 30;
const STORE_KILLS_MIN = 3;

/** A run on a Redis Cluster of this length has each of its faults, in minutes. */
const FULL_CLUSTER_MINUTES = 2;

/** Invariant 6: within this time after a fault buyers can buy again, in ms. */
const RECOVERY_P99_MS = 15_000;

/**
 * Checks that a run recovered quickly, and that it had enough faults for its length.
 *
 * @returns the missed goals, in words
 */
export function missedBy(result: ChaosResult): string[] {
  const { p99 } = result.recoveryMs;
  return [
    ...(p99 > RECOVERY_P99_MS ? [`recovery p99 was ${p99} ms, above ${RECOVERY_P99_MS}`] : []),
    ...missedHolding(result),
    ...(result.redis ? missedFaults(result, result.redis) : missedKills(result)),
  ];
}

/** Names what no buyer of a run came to. */
function missedHolding({ minutes, holding }: ChaosResult): string[] {
  if (minutes < FULL_CLUSTER_MINUTES) return [];
  // A family of three seldom wants a third unit at one time.
  const { crowded: _, ...needed } = holding;
  const missing = Object.keys(needed).filter(what => holding[what as keyof HoldingCounts] === 0);
  return missing.map(what => `no buyer came to this: ${what}`);
}

function missedKills({ minutes, kills, draws }: ChaosResult): string[] {
  if (draws) return missedLosses(minutes, draws);
  const { api, worker, redis, postgres } = kills;
  const total = api + worker + redis + postgres;
  const isTooTame = total < KILLS_MIN || Math.min(redis, postgres) < STORE_KILLS_MIN;
  if (minutes < FULL_MINUTES || !isTooTame) return [];
  return [`${total} kills, ${redis} of redis and ${postgres} of postgres: too few`];
}

/** Names the losses that a run with draws lacked. Its faults are too slow to be counted as those of others. */
function missedLosses(minutes: number, { losses }: DrawCounts): string[] {
  if (minutes < FULL_CLUSTER_MINUTES) return [];
  return Object.keys(losses)
    .filter(loss => losses[loss as keyof typeof losses] === 0)
    .map(loss => `no fault of this kind: ${loss}`);
}

/** Names the faults that a run on a Redis Cluster lacked: they take turns, so a short run has only some. */
function missedFaults({ minutes, kills }: ChaosResult, redis: NonNullable<ChaosResult['redis']>): string[] {
  if (minutes < FULL_CLUSTER_MINUTES) return [];
  const { api, worker, postgres } = kills;
  const counts = Object.entries({ ...redis, 'kill api': api, 'kill worker': worker, 'kill postgres': postgres });
  return counts.filter(([, count]) => count === 0).map(([fault]) => `no fault of this kind: ${fault}`);
}

/** A draw that nothing disturbs has its order within this time after its opening, in ms. */
const ORDERING_MS = 3_000;

/** Summarises the draws of a run. */
export function countDraws(
  { sales, operations, draws = [], drawReads = [] }: Evidence,
  { faults, losses }: Pick<FaultReport, 'faults' | 'losses'>,
): DrawCounts {
  const entries = draws.flatMap(draw => draw.entries);
  const openings = sales.filter(({ hasDraw }) => hasDraw).map(({ opensAtMs }) => opensAtMs);
  const holders = operations.filter(({ entry }) => entry !== undefined);
  return {
    draws: draws.length,
    listed: entries.filter(({ isIn }) => isIn).length,
    late: entries.filter(({ isIn, isWaiting }) => isWaiting && !isIn).length,
    receipts: new Set(holders.map(({ saleId, buyerId }) => `${saleId} ${buyerId}`)).size,
    reads: drawReads.filter(({ isOrdered }) => isOrdered).length,
    faultsWhileOrdering: faults.filter(({ atMs }) => openings.some(at => at <= atMs && atMs < at + ORDERING_MS)).length,
    losses,
  };
}

/** Counts what sales did about buyers who hold without paying, and passes. */
export function countHolding({
  sales,
  orders,
  operations,
}: Pick<Evidence, 'sales' | 'orders' | 'operations'>): HoldingCounts {
  const counting = new Set(sales.filter(({ unpaidLimit = 0 }) => unpaidLimit > 0).map(({ id }) => id));
  const needy = new Set(sales.filter(({ needsPass }) => needsPass).map(({ id }) => id));
  const refused = (code: string) => operations.filter(operation => operation.code === code).length;
  const isStrike = ({ saleId, reason, endedAtMs }: OrderFacts) =>
    counting.has(saleId) && STRIKES.has(reason ?? '') && endedAtMs !== null;
  return {
    strikes: orders.filter(isStrike).length,
    limited: refused('unpaid_limit'),
    othersFirst: refused('others_first'),
    crowded: refused('group_limit'),
    passes: operations.filter(({ saleId, outcome, hasPass }) => needy.has(saleId) && outcome === 'ok' && hasPass)
      .length,
    passless: refused('pass_required'),
  };
}

/** Returns the exit code of a run: 0 without a violation and without a missed goal. */
export function exitCodeOf(result: ChaosResult): 0 | 1 {
  return result.violations.length === 0 && missedBy(result).length === 0 ? 0 : 1;
}

/**
 * Returns the time from each fault until the claim of a buyer who came after it was placed, in ms. Of several probed sales that the
 * fault touches, the last one counts.
 */
export function recoveries(faults: readonly FaultNote[], probes: readonly Probe[]): number[] {
  const bySale = [...groupBy(probes, ({ saleId }) => saleId)];
  return faults.map(({ atMs, saleIds }) => {
    const touched = bySale.filter(([saleId]) => !saleIds || saleIds.includes(saleId));
    const ofSales = touched.map(([, ofSale]) => {
      const later = ofSale.filter(({ fromMs }) => fromMs >= atMs).map(({ placedMs }) => placedMs - atMs);
      return Math.min(GIVE_UP_MS, ...later);
    });
    return ofSales.length > 0 ? Math.max(...ofSales) : GIVE_UP_MS;
  });
}

/** Summarises the recoveries of each kind of fault. */
export function recoveriesByKind(
  faults: readonly FaultNote[],
  probes: readonly Probe[],
): Record<string, Spread & { count: number }> {
  const kinds = [...groupBy(faults, ({ kind }) => kind)].sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(
    kinds.map(([kind, ofKind]) => [kind, { count: ofKind.length, ...spreadOf(recoveries(ofKind, probes)) }]),
  );
}

/** Summarises durations, rounded to ms. */
export const spreadOf = (values: readonly number[]): Spread => ({
  p50: Math.round(percentile(values, 0.5)),
  p99: Math.round(percentile(values, 0.99)),
  max: Math.round(percentile(values, 1)),
});

/** Counts the payments of a run. */
export function countMoney(payments: readonly PaymentFacts[], orders: readonly OrderFacts[]): MoneyCounts {
  const ordersWith = (reason: string) => orders.filter(order => order.reason === reason).length;
  return {
    paidElsewhere: payments.filter(({ takenMinor }) => takenMinor > 0).length,
    paidAtLast: payments.filter(({ takenMinor, attempt }) => takenMinor > 0 && attempt > 1).length,
    regrabbed: orders.filter(({ regrabbed }) => regrabbed).length,
    returned: ordersWith('refunded_late_payment'),
    refunded: ordersWith('refunded_by_shop'),
  };
}
