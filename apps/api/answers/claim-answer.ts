import { z } from 'zod';
import type { ClaimRecord } from '#core/rules/claim.js';
import { claimId, claimStatus, entry, pollAfter, position, unit } from './fields.js';

/**
 * The answer to a click whose buyer holds a claim. `test/unit/apps/answer-text.test.ts` checks that {@link claimText}
 * writes this shape.
 */
export const ClaimAnswer = z.object({
  status: claimStatus,
  claimId,
  unit,
  receipt: z.string().optional().meta({ description: 'Proof of the claim; keep it until the order is placed' }),
  pollAfterMs: pollAfter.optional(),
});

/** The answer to a click that got a position on standby. {@link standbyAnswer} returns this shape. */
export const StandbyAnswer = z.object({ status: z.literal('standby'), position, pollAfterMs: pollAfter });

/** The answer to a click that joined a line whose order is not made yet. */
export const JoinedAnswer = z.object({
  status: z.enum(['joined', 'drawing']),
  entry: entry.optional(),
  receipt: z.string().optional().meta({ description: 'Proof of the entry; keep it until the sale is over' }),
  pollAfterMs: pollAfter,
});

/**
 * Returns the {@link StandbyAnswer} for a buyer.
 *
 * @param pollAfterMs the pause before the buyer's next poll, in ms
 */
export function standbyAnswer(position: number, pollAfterMs: number | undefined): object {
  return { status: 'standby', position, pollAfterMs };
}

/** Returns the {@link JoinedAnswer} for a buyer; `pollAfterMs` is the pause before the next poll, in ms. */
export function joinedAnswer(
  joined: Omit<z.input<typeof JoinedAnswer>, 'pollAfterMs'>,
  pollAfterMs: number | undefined,
): object {
  return { ...joined, pollAfterMs };
}

/**
 * Writes the JSON text of a {@link ClaimAnswer} directly, without building an object first. Its values need no
 * escaping: ids, numbers, fixed words and a receipt.
 *
 * @param pollAfterMs the pause before the next poll, in ms; undefined for a final status
 * @param receipt the signed proof of the claim; undefined once the order is placed
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
