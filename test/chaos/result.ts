import { percentile } from '../support/percentile.js';
import type { OrderFacts } from './history/claim-view.js';
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
  /** Different claims in answers to clients. */
  accepted: number;
  /** Orders. */
  placed: number;
  violations: string[];
  money: MoneyCounts;
  /** The time from a fault until the claim of a fresh buyer is placed. */
  recoveryMs: Spread;
  /** The time from the first answer with a claim until its order. */
  placingMs: Spread;
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

/** A run of this length has enough faults to be judged by their number, in minutes. */
const FULL_MINUTES = 3;
const KILLS_MIN = 30;
const STORE_KILLS_MIN = 3;

/** Invariant 6: within this time after a fault buyers can buy again, in ms. */
const RECOVERY_P99_MS = 15_000;

/**
 * Checks that a run recovered quickly, and that it had enough faults for its length.
 *
 * @returns the missed goals, in words
 */
export function missedBy({ minutes, kills, recoveryMs }: ChaosResult): string[] {
  const { api, worker, redis, postgres } = kills;
  const total = api + worker + redis + postgres;
  const isTooTame = total < KILLS_MIN || Math.min(redis, postgres) < STORE_KILLS_MIN;
  return [
    ...(recoveryMs.p99 > RECOVERY_P99_MS ? [`recovery p99 was ${recoveryMs.p99} ms, above ${RECOVERY_P99_MS}`] : []),
    ...(minutes >= FULL_MINUTES && isTooTame
      ? [`${total} kills, ${redis} of redis and ${postgres} of postgres: too few`]
      : []),
  ];
}

/** Returns the exit code of a run: 0 without a violation and without a missed goal. */
export function exitCodeOf(result: ChaosResult): 0 | 1 {
  return result.violations.length === 0 && missedBy(result).length === 0 ? 0 : 1;
}

/** Returns the time from each fault until the claim of a buyer who came after it was placed, in ms. */
export function recoveries(faults: readonly FaultNote[], probes: readonly Probe[]): number[] {
  return faults.map(({ atMs }) => {
    const later = probes.filter(({ fromMs }) => fromMs >= atMs).map(({ placedMs }) => placedMs - atMs);
    return later.length > 0 ? Math.min(...later) : GIVE_UP_MS;
  });
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
