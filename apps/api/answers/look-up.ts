import { type ReceiptKey, verifyReceipt } from '#core/identity/receipt.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import type { Redis } from '#core/redis/connection.js';
import { withDeadline } from '#core/rules/clock.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
import type { RecentSale, Sales } from '../mirror/sales.js';
import { bringBack, isLost, type LostClaimParts } from './lost-claim.js';
import { answerOf, type OrderAnswer } from './order-answer.js';
import type { Backpressure } from './poll.js';

/** A question for the status of a buyer. */
export interface Question {
  saleId: string;
  buyerId: string;
  /** The text of a receipt, if the buyer has shown one. */
  receipt?: string | undefined;
}

/**
 * Answers a question from Redis. A valid receipt brings a lost claim back.
 *
 * @throws Problem; NotVerified, and what ioredis throws
 */
export type LookUp = (question: Question) => Promise<OrderAnswer>;

/** The parts that a look-up works with. */
export interface LookUpParts extends LostClaimParts {
  readonly sales: Pick<Sales, 'find'>;
  readonly receiptKey: ReceiptKey;
  readonly load: Backpressure;
}

/** Creates the look-up that all calls about an order share. */
export function createLookUp(parts: LookUpParts): LookUp {
  const { redis, sales, statuses, receiptKey, load } = parts;
  return async ({ saleId, buyerId, receipt: text }) => {
    const sale = await sales.find(saleId);
    const askedAtMs = performance.now();
    const known = await statuses.read(saleId, buyerId);
    const receipt = text === undefined ? undefined : verifyReceipt(receiptKey, text, { saleId, buyerId });
    const now = receipt && isLost(receipt, known) ? await bringBack(parts, receipt, known) : known;
    const answer = answerOf(sale, now, { askedAtMs, slowdown: load.slowdown });
    return { ...answer, ...(await paymentUrlOf(redis, sale, now)) };
  };
}

/** Reads the address from Redis only for an unpaid order of a sale that is paid at a provider. */
async function paymentUrlOf(
  redis: Redis,
  { id, provider }: RecentSale,
  { claim, position }: BuyerStatus,
): Promise<Pick<OrderAnswer, 'paymentUrl'>> {
  if (provider === 'wallet' || position !== undefined || claim?.status !== 'pending_payment') return {};
  const paymentUrl = await withDeadline(readPayUrl(redis, id, claim.claimId), REDIS_STEP_MS, 'reading where to pay');
  return paymentUrl === undefined ? {} : { paymentUrl };
}
