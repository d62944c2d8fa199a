import { z } from 'zod';
import { type ClaimRecord, isLive } from '#core/claim.js';
import { phaseOf } from '#core/sale.js';
import type { BuyerStatus } from '#core/stock/status.js';
import { type PublicStatus, pollAfterMs } from './poll.js';
import { amountMinor, claimId, currency, instant, pollAfter, position, status, unit } from './routes/fields.js';
import { type RecentSale, redisNowMs } from './sales.js';

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
 * @returns the answer
 */
export function answerOf(sale: RecentSale, { claim, position }: BuyerStatus): OrderAnswer {
  if (position !== undefined && !(claim && isLive(claim.status))) return inLine(sale, position);
  if (!claim) return { status: 'none' };
  return {
    ...statusAndPoll(claim.status),
    claimId: claim.claimId,
    unit: claim.unit,
    amountMinor: sale.priceMinor,
    currency: sale.currency,
    ...payByOf(claim),
    ...(claim.reason === undefined ? {} : { reason: claim.reason }),
  };
}

function inLine(sale: RecentSale, position: number): OrderAnswer {
  const ended = phaseOf(sale, sale.remaining, redisNowMs(sale)) === 'closed';
  return ended ? { status: 'closed' } : { ...statusAndPoll('standby'), position };
}

function payByOf({ payByMs }: ClaimRecord): { payBy?: string } {
  return payByMs === undefined ? {} : { payBy: new Date(payByMs).toISOString() };
}

function statusAndPoll(status: PublicStatus): Pick<OrderAnswer, 'status' | 'pollAfterMs'> {
  return { status, pollAfterMs: pollAfterMs(status) };
}
