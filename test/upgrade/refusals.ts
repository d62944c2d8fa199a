import { SECOND_MS } from '#core/rules/clock.js';
import { groupBy } from '../chaos/history/claim-view.js';
import type { Operation } from '../chaos/history/history.js';

/**
 * No buyer is refused with 5xx for longer than twice the time in which one API is replaced, as long as this machine takes. If
 * that is quicker, not for longer than this, in ms.
 */
const REFUSED_MS = 3 * SECOND_MS;

/** The answers 5xx of an upgrade, and the questions that no API answered. */
export interface Refusals {
  refused: number;
  /** For how long a buyer got no other answer at most. */
  refusedMaxMs: number;
  violations: string[];
}

/**
 * Judges how often and for how long buyers were refused.
 *
 * @param longestGapMs the longest time in which one API was replaced
 */
export function judgeRefusals(operations: readonly Operation[], longestGapMs: number): Refusals {
  const refusedMaxMs = longestRefusal(operations);
  const isTooLong = refusedMaxMs > Math.max(REFUSED_MS, 2 * longestGapMs);
  return {
    refused: operations.filter(isRefused).length,
    refusedMaxMs,
    violations: isTooLong ? [`a buyer was refused with 5xx for ${refusedMaxMs} ms`] : [],
  };
}

const isRefused = ({ http }: Operation): boolean => http === undefined || http === 0 || http >= 500;

/** From the first refused question of a buyer to the end of the next one that was answered, in ms. */
function longestRefusal(operations: readonly Operation[]): number {
  const asked = operations.filter(({ call }) => call !== 'credit');
  const byBuyer = groupBy(asked, ({ saleId, buyerId }) => `${saleId} ${buyerId}`);
  return Math.max(0, ...[...byBuyer.values()].map(longestOf));
}

function longestOf(ofBuyer: readonly Operation[]): number {
  let [longest, sinceMs]: [number, number | undefined] = [0, undefined];
  for (const operation of [...ofBuyer].sort((a, b) => a.endedAtMs - b.endedAtMs)) {
    if (isRefused(operation)) sinceMs ??= operation.invokedAtMs;
    if (sinceMs !== undefined) longest = Math.max(longest, operation.endedAtMs - sinceMs);
    if (!isRefused(operation)) sinceMs = undefined;
  }
  return longest;
}
