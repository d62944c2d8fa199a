import { z } from 'zod';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import { phaseOf } from '#core/rules/sale.js';
import { type RecentSale, redisMsAt } from '../mirror/sales.js';
import { amountMinor, claimId, currency, instant, pollAfter, position, status, unit } from './fields.js';
import { type PublicStatus, pollAfterMs } from './poll.js';

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

/** Where a buyer stands, as it is answered. */
export type OrderAnswer = z.input<typeof OrderStatus>;

/**
 * @param sale the sale, as it was a moment ago
 * @param known what Redis knows of the buyer
 * @param slowdown how many times as long as usual the client should wait before it asks again
 * @param askedAtMs when Redis was about to be asked, by this process's `performance.now()`: who was in line after the end, stays so
 * @returns the answer
 */
export function answerOf(
  sale: RecentSale,
  { claim, position }: BuyerStatus,
  slowdown: number,
  askedAtMs: number,
): OrderAnswer {
  if (position !== undefined) return inLine(sale, position, slowdown, askedAtMs);
  if (!claim) return { status: 'none' };
  return {
    ...statusAndPoll(sale, claim.status, slowdown),
    claimId: claim.claimId,
    unit: claim.unit,
    amountMinor: sale.priceMinor,
    currency: sale.currency,
    ...payByOf(claim),
    ...(claim.reason === undefined ? {} : { reason: claim.reason }),
  };
}

/**
 * The text of {@link answerOf}, for what most of the crowd asks about written without an object in between. Nothing in it needs
 * escaping: ids, numbers, our own words and the letters of a currency.
 *
 * @returns the text and its entity tag
 */
export function answerText(
  sale: RecentSale,
  known: BuyerStatus,
  slowdown: number,
  askedAtMs: number,
): { text: string; etag: string } {
  const { claim } = known;
  if (!claim || !isLive(claim.status) || claim.reason !== undefined) {
    const answer = answerOf(sale, known, slowdown, askedAtMs);
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

/**
 * @param answer where a buyer stands
 * @param slowdown how many times as long as usual the client should wait before it asks again
 * @returns an entity tag for it: another one for everything that a buyer would want to know
 */
export function etagOf(
  { status, claimId = '', payBy = '', reason = '', position = 0, paymentUrl = '' }: OrderAnswer,
  slowdown: number,
): string {
  const told = `${reason} ${paymentUrl}`;
  return `W/"${status}.${claimId}.${payBy}.${position}.${slowdown}${told === ' ' ? '' : `.${encodeURIComponent(told)}`}"`;
}

function inLine(sale: RecentSale, position: number, slowdown: number, askedAtMs: number): OrderAnswer {
  const ended = phaseOf(sale, sale.remaining, redisMsAt(sale, askedAtMs)) === 'closed';
  return ended ? { status: 'closed' } : { ...statusAndPoll(sale, 'standby', slowdown), position };
}

function payByOf({ payByMs }: ClaimRecord): { payBy?: string } {
  return payByMs === undefined ? {} : { payBy: new Date(payByMs).toISOString() };
}

function statusAndPoll(
  sale: RecentSale,
  status: PublicStatus,
  slowdown: number,
): Pick<OrderAnswer, 'status' | 'pollAfterMs'> {
  return { status, pollAfterMs: pollAfterMs(status, slowdown, sale.payWithinSeconds) };
}
