import { z } from 'zod';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import { phaseOf } from '#core/rules/sale.js';
import { type RecentSale, redisMsAt } from '../mirror/sales.js';
import { amountMinor, claimId, currency, instant, pollAfter, position, status, unit } from './fields.js';
import { type Backpressure, type PublicStatus, pollAfterMs } from './poll.js';

/** The answer about a buyer's order. `test/unit/apps/answer-text.test.ts` ties it to {@link answerOf} and {@link answerText}. */
export const OrderStatus = z.object({
  status,
  claimId: claimId.optional(),
  unit: unit.optional(),
  amountMinor: amountMinor.optional(),
  currency: currency.optional(),
  payBy: instant.optional(),
  paymentUrl: z
    .url()
    .optional()
    .meta({ description: 'Where the buyer pays, once they have asked to pay at a provider' }),
  reason: z.string().optional().meta({ description: 'Why it ended, or why a payment was not taken' }),
  position: position.optional(),
  pollAfterMs: pollAfter.optional(),
});

/** An answer that fits {@link OrderStatus}. */
export type OrderAnswer = z.input<typeof OrderStatus>;

/** The moment of a question. */
export interface Asked extends Backpressure {
  /** When Redis was about to be asked, by this process's `performance.now()`, in ms. */
  readonly askedAtMs: number;
}

/**
 * Answers with the status of a buyer.
 *
 * @param sale the sale, as it was a moment ago
 * @param known what Redis knows of the buyer
 * @param asked a buyer who was still on standby at that moment, after the sale's end, stays without a unit
 */
export function answerOf(sale: RecentSale, { claim, position }: BuyerStatus, asked: Asked): OrderAnswer {
  if (position !== undefined) return onStandby(sale, position, asked);
  if (!claim) return { status: 'none' };
  return {
    ...statusAndPoll(sale, claim.status, asked),
    claimId: claim.claimId,
    unit: claim.unit,
    amountMinor: sale.priceMinor,
    currency: sale.currency,
    ...payByOf(claim),
    ...(claim.reason === undefined ? {} : { reason: claim.reason }),
  };
}

/**
 * Writes the text of {@link answerOf}. The most frequent answers are written without an object in between, which is 3 %
 * faster. Their values need no escaping: ids, numbers, fixed words and the letters of a currency.
 *
 * @returns the text and its entity tag
 */
export function answerText(sale: RecentSale, known: BuyerStatus, asked: Asked): { text: string; etag: string } {
  const { claim, position } = known;
  const { slowdown } = asked;
  if (!claim || position !== undefined || !isLive(claim.status) || claim.reason !== undefined) {
    const answer = answerOf(sale, known, asked);
    return { text: JSON.stringify(answer), etag: etagOf(answer, slowdown) };
  }
  const { status, claimId, unit } = claim;
  const poll = pollAfterMs(status, slowdown, sale.payWithinSeconds);
  const pollText = poll === undefined ? '' : `,"pollAfterMs":${poll}`;
  const { payBy } = payByOf(claim);
  const payByText = payBy === undefined ? '' : `,"payBy":"${payBy}"`;
  const money = `"amountMinor":${sale.priceMinor},"currency":"${sale.currency}"`;
  return {
    text: `{"status":"${status}"${pollText},"claimId":"${claimId}","unit":${unit},${money}${payByText}}`,
    etag: etagOf({ status, claimId, ...(payBy === undefined ? {} : { payBy }) }, slowdown),
  };
}

/** Returns the entity tag of an answer. It differs for every change that a buyer would want to know. */
export function etagOf(
  { status, claimId = '', payBy = '', reason = '', position = 0, paymentUrl = '' }: OrderAnswer,
  slowdown: number,
): string {
  const more = `${reason} ${paymentUrl}`;
  return `W/"${status}.${claimId}.${payBy}.${position}.${slowdown}${more === ' ' ? '' : `.${encodeURIComponent(more)}`}"`;
}

function onStandby(sale: RecentSale, position: number, asked: Asked): OrderAnswer {
  const ended = phaseOf(sale, sale.remaining, redisMsAt(sale, asked.askedAtMs)) === 'closed';
  return ended ? { status: 'closed' } : { ...statusAndPoll(sale, 'standby', asked), position };
}

function payByOf({ payByMs }: ClaimRecord): { payBy?: string } {
  return payByMs === undefined ? {} : { payBy: new Date(payByMs).toISOString() };
}

function statusAndPoll(
  sale: RecentSale,
  status: PublicStatus,
  { slowdown }: Backpressure,
): Pick<OrderAnswer, 'status' | 'pollAfterMs'> {
  return { status, pollAfterMs: pollAfterMs(status, slowdown, sale.payWithinSeconds) };
}
