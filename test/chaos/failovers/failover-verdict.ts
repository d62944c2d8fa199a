import { SECOND_MS } from '#core/rules/clock.js';
import type { Spread } from '../result.js';
import type { FailoverKind } from './failover.js';

/** Claims are answered within this time after the new primary serves, in ms: in this share of the rounds, and never later. */
const GOAL_MS = 5 * SECOND_MS;
const GOAL_SHARE = 0.95;
const NEVER_ABOVE_MS = 10 * SECOND_MS;

/** The summary of all rounds of one kind. */
export interface FailoverResult {
  kind: FailoverKind;
  rounds: number;
  /** The time from the first write that the new primary took until every API had accepted a claim, in ms. */
  recoveryMs: Spread;
  all: number[];
  accepted: number;
  /** Claims that their buyers read as rejected because Redis had lost them. */
  lost: number;
  violations: string[];
}

/** Returns the missed goals, in words. */
export function missedBy({ all }: Pick<FailoverResult, 'all'>): string[] {
  const quick = all.filter(ms => ms <= GOAL_MS).length;
  return [
    ...(quick < GOAL_SHARE * all.length
      ? [`only ${quick} of ${all.length} recoveries took at most ${GOAL_MS} ms`]
      : []),
    // A claim that no API accepted has no time, and is a missed goal as well.
    ...all.filter(ms => !(ms <= NEVER_ABOVE_MS)).map(ms => `a recovery took ${ms} ms`),
  ];
}

/** Returns the exit code of a run: 0 if no kind has a violation or a missed goal. */
export function exitCodeOf(results: readonly Pick<FailoverResult, 'all' | 'violations'>[]): 0 | 1 {
  return results.every(result => result.violations.length === 0 && missedBy(result).length === 0) ? 0 : 1;
}
