import { z } from 'zod';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { type ClaimRecord, isLive } from '#core/rules/claim.js';
import { currencyDigits } from '#core/rules/currencies.js';
import { phaseOf } from '#core/rules/sale.js';
import { type RecentSale, redisMsAt } from '../mirror/sales.js';
import {
  amountMinor,
  claimId,
  currency,
  digits,
  entry,
  instant,
  pollAfter,
  position,
  refundedMinor,
  status,
  unit,
} from './fields.js';
import { type Backpressure, type PublicStatus, pollAfterMs, pollTimesOf } from './poll.js';

/**
 * The answer about a buyer's order. `test/unit/apps/answer-text.test.ts` checks that {@link answerOf} and {@link
 * answerText} give this shape.
 */
export const OrderStatus = z.object({
  status,
  claimId: claimId.optional(),
  unit: unit.optional(),
  amountMinor: amountMinor.optional(),
  currency: currency.optional(),
  refundedMinor: refundedMinor.optional(),
  currencyDigits: digits.optional(),
  payBy: instant.optional(),
  paymentUrl: z
    .url()
    .optional()
    .meta({ description: 'Where the buyer pays, once they have asked to pay at a provider' }),
  reason: z.string().optional().meta({ description: 'Why it ended, or why a payment was not taken' }),
  position: position.optional(),
  entry: entry.optional(),
  receipt: z.string().optional().meta({
    description: 'Proof of a `queued` claim, if the request showed none; keep it until the order is placed',
  }),
  pollAfterMs: pollAfter.optional(),
});

/** The object that {@link OrderStatus} describes. */
export type OrderAnswer = z.input<typeof OrderStatus>;

/** When a status was read, and how busy the process was. */
export interface Asked extends Backpressure {
  /** The time just before the buyer's status was read from Redis, by this process's `performance.now()`, in ms. */
  readonly askedAtMs: number;
  /** The receipt of a queued claim, for a buyer who did not show it; undefined for every other answer. */
  readonly newReceipt?: string | undefined;
}

/**
 * Returns the answer about a buyer's order.
 *
 * @param sale the sale, read at most about a second ago
 * @param known the buyer's claim and standby position in Redis
 * @param asked the time of that read, and the slowdown. A buyer still on standby at a time after the sale's end gets
 *   `closed`
 */
export function answerOf(sale: RecentSale, known: BuyerStatus, asked: Asked): OrderAnswer {
  const { claim } = known;
  if (isInLine(known)) return inLine(sale, known, asked);
  if (!claim) return { status: 'none' };
  return {
    ...statusAndPoll(sale, claim.status, asked),
    claimId: claim.claimId,
    unit: claim.unit,
    amountMinor: sale.priceMinor,
    currency: sale.currency,
    ...(claim.refundedMinor === undefined ? {} : { refundedMinor: claim.refundedMinor }),
    currencyDigits: currencyDigits(sale.currency),
    ...payByOf(claim),
    ...(claim.reason === undefined ? {} : { reason: claim.reason }),
    ...(asked.newReceipt === undefined ? {} : { receipt: asked.newReceipt }),
  };
}

/**
 * Writes the JSON text of {@link answerOf}. Answers with a live claim, the most frequent ones, are written without
 * building an object, which is 3 % faster. Their values need no escaping: ids, numbers, fixed words, the letters
 * of a currency and receipts.
 *
 * @returns the text and its entity tag
 */
export function answerText(sale: RecentSale, known: BuyerStatus, asked: Asked): { text: string; etag: string } {
  const { claim } = known;
  const { slowdown, newReceipt } = asked;
  const isPlain = claim && claim.reason === undefined && claim.refundedMinor === undefined;
  if (!isPlain || isInLine(known) || !isLive(claim.status)) {
    const answer = answerOf(sale, known, asked);
    return { text: JSON.stringify(answer), etag: etagOf(answer, slowdown) };
  }
  const { status, claimId, unit } = claim;
  const poll = pollAfterMs(status, slowdown, sale);
  const pollText = poll === undefined ? '' : `,"pollAfterMs":${poll}`;
  const { payBy } = payByOf(claim);
  const payByText = payBy === undefined ? '' : `,"payBy":"${payBy}"`;
  const receiptText = newReceipt === undefined ? '' : `,"receipt":"${newReceipt}"`;
  const money = `"amountMinor":${sale.priceMinor},"currency":"${sale.currency}","currencyDigits":${currencyDigits(sale.currency)}`;
  return {
    text: `{"status":"${status}"${pollText},"claimId":"${claimId}","unit":${unit},${money}${payByText}${receiptText}}`,
    etag: etagOf({ status, claimId, ...(payBy === undefined ? {} : { payBy }) }, slowdown),
  };
}

/**
 * Returns the entity tag of an answer. It differs for every change that a buyer would want to know, and for another
 * slowdown.
 */
export function etagOf(
  { status, claimId = '', payBy = '', reason = '', position = 0, paymentUrl = '', refundedMinor = 0 }: OrderAnswer,
  slowdown: number,
): string {
  const more = `${reason} ${paymentUrl}${refundedMinor === 0 ? '' : ` ${refundedMinor}`}`;
  return `W/"${status}.${claimId}.${payBy}.${position}.${slowdown}${more === ' ' ? '' : `.${encodeURIComponent(more)}`}"`;
}

/** Tells whether a buyer is in the line of a sale: on standby, or in a line whose order is not made yet. */
export const isInLine = ({ position, isJoined }: BuyerStatus): boolean => position !== undefined || isJoined === true;

function inLine(sale: RecentSale, { position, entry }: BuyerStatus, asked: Asked): OrderAnswer {
  const nowMs = redisMsAt(sale, asked.askedAtMs);
  if (phaseOf(sale, sale.remaining, nowMs) === 'closed') return { status: 'closed' };
  const known = entry === undefined ? {} : { entry };
  if (position !== undefined) return { ...statusAndPoll(sale, 'standby', asked), position, ...known };
  return { ...statusAndPoll(sale, nowMs < sale.opensAtMs ? 'joined' : 'drawing', asked), ...known };
}

function payByOf({ payByMs }: ClaimRecord): { payBy?: string } {
  return payByMs === undefined ? {} : { payBy: new Date(payByMs).toISOString() };
}

function statusAndPoll(
  sale: RecentSale,
  status: PublicStatus,
  { slowdown, askedAtMs }: Asked,
): Pick<OrderAnswer, 'status' | 'pollAfterMs'> {
  return { status, pollAfterMs: pollAfterMs(status, slowdown, pollTimesOf(sale, redisMsAt(sale, askedAtMs))) };
}
