import { z } from 'zod';
import type { ClaimRecord } from '#core/rules/claim.js';
import { claimId, claimStatus, pollAfter, position, unit } from './fields.js';

/** The answer to a click that holds a claim. `test/unit/apps/answer-text.test.ts` ties it to {@link claimText}. */
export const ClaimAnswer = z.object({
  status: claimStatus,
  claimId,
  unit,
  receipt: z.string().optional().meta({ description: 'Proof of the claim; keep it until the order is placed' }),
  pollAfterMs: pollAfter.optional(),
});

/** The answer to a click that got a position on standby, as {@link standbyAnswer} gives it. */
export const StandbyAnswer = z.object({ status: z.literal('standby'), position, pollAfterMs: pollAfter });

/**
 * Returns a {@link StandbyAnswer}.
 *
 * @param pollAfterMs the pause before the next poll, in ms
 */
export function standbyAnswer(position: number, pollAfterMs: number | undefined): object {
  return { status: 'standby', position, pollAfterMs };
}

/**
 * Writes the text of a {@link ClaimAnswer} without an object in between. Its values need no escaping: ids, numbers, fixed
 * words and a receipt.
 *
 * @param pollAfterMs the pause before the next poll, in ms; undefined for a final status
 * @param receipt undefined once the order is placed
 */
export function claimText(
  { status, claimId, unit }: ClaimRecord,
  pollAfterMs: number | undefined,
  receipt: string | undefined,
): string {
  const pollText = pollAfterMs === undefined ? '' : `,"pollAfterMs":${pollAfterMs}`;
  const receiptText = receipt === undefined ? '' : `,"receipt":"${receipt}"`;
  return `{"status":"${status}","claimId":"${claimId}","unit":${unit}${pollText}${receiptText}}`;
}
