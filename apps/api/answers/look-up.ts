import { type ReceiptKey, signReceiptOf, verifyEntry, verifyReceipt } from '#core/identity/receipt.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import type { Shards } from '#core/redis/shards.js';
import { isLive } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
import type { RecentSale, Sales } from '../mirror/sales.js';
import { bringBack, isLost, type LostClaimParts } from './lost-claim.js';
import { bringEntryBack } from './lost-entry.js';
import { answerOf, isInLine, type OrderAnswer } from './order-answer.js';
import type { Backpressure } from './poll.js';

/** A question for the order status of one buyer in one sale. */
export interface Question {
  saleId: string;
  buyerId: string;
  /** The text of a receipt, the signed proof of a claim, if the request contains one. */
  receipt?: string | undefined;
}

/**
 * Reads a buyer's order status from Redis. A valid receipt restores a claim that Redis has lost.
 *
 * @throws Problem; NotVerified while Redis can't be trusted about the sale; what ioredis throws
 */
export type LookUp = (question: Question) => Promise<OrderAnswer>;

/** The parts of the API that answer a question about an order. */
export interface LookUpParts extends LostClaimParts {
  readonly sales: Pick<Sales, 'find'>;
  /** The keys with which receipts are verified: two while the shared secret is rotated. The first one signs. */
  readonly receiptKeys: readonly ReceiptKey[];
  readonly load: Backpressure;
}

/** Creates the function that reads a buyer's order status, for polls, waits and streams alike. */
export function createLookUp(parts: LookUpParts): LookUp {
  const { redis, sales, statuses, load } = parts;
  return async ({ saleId, buyerId, receipt: text }) => {
    const sale = await sales.find(saleId);
    const askedAtMs = performance.now();
    const known = await statuses.read(saleId, buyerId);
    const now = text === undefined ? known : await withReceipt(parts, { sale, buyerId, text }, known);
    const newReceipt = newReceiptOf(parts.receiptKeys, { saleId, buyerId, receipt: text }, now);
    const answer = answerOf(sale, now, { askedAtMs, slowdown: load.slowdown, newReceipt });
    return { ...answer, ...(await paymentUrlOf(redis, sale, now)) };
  };
}

/**
 * Brings back what a receipt proves and Redis has lost, a claim or an entry.
 *
 * @throws Problem `bad_receipt` in a sale with a line, for a buyer who has nothing in it
 */
async function withReceipt(
  parts: LookUpParts,
  { sale, buyerId, text }: { sale: RecentSale; buyerId: string; text: string },
  known: BuyerStatus,
): Promise<BuyerStatus> {
  const keys = parts.receiptKeys;
  const shownBy = { saleId: sale.id, buyerId };
  const receipt = verifyReceipt(keys, text, shownBy);
  if (receipt) return isLost(receipt, known) ? bringBack(parts, receipt, known) : known;
  if (known.claim || known.entry !== undefined) return known;
  const entry = verifyEntry(keys, text, shownBy);
  // A buyer who came after the opening may show the receipt of an entry that Redis has lost.
  if (entry) return bringEntryBack(parts, entry, known);
  // In a rush, clients of earlier versions expect `none`.
  if (sale.opening !== 'rush' && !isInLine(known)) throw new Problem('bad_receipt');
  return known;
}

/**
 * Signs the receipt of a queued claim, unless the question shows it. A buyer who was promoted from standby gets it in this way, and so
 * does one who never got the answer to the click.
 */
export function newReceiptOf(
  [key]: readonly ReceiptKey[],
  { saleId, buyerId, receipt }: Question,
  known: BuyerStatus,
): string | undefined {
  const { claim } = known;
  if (claim?.status !== 'queued' || isInLine(known) || key === undefined) return undefined;
  const { claimId, unit } = claim;
  return receipt?.startsWith(claimId) ? undefined : signReceiptOf(key, { saleId, buyerId, claimId, unit });
}

/**
 * Returns whether the answer to a question needs more than the buyer's status. A receipt may restore a claim that Redis
 * lost, unless the buyer has a live one. An unpaid order at a payment provider needs its payment address.
 */
export function needsLookUp(
  { receipt }: Pick<Question, 'receipt'>,
  { provider }: Pick<RecentSale, 'provider'>,
  { claim }: BuyerStatus,
): boolean {
  if (receipt !== undefined && !(claim && isLive(claim.status))) return true;
  return provider !== 'wallet' && claim?.status === 'pending_payment';
}

/** Reads the address at which the buyer pays. Only an unpaid order of a sale with a payment provider can have one. */
async function paymentUrlOf(
  redis: Shards,
  { id, provider }: RecentSale,
  { claim, position }: BuyerStatus,
): Promise<Pick<OrderAnswer, 'paymentUrl'>> {
  if (provider === 'wallet' || position !== undefined || claim?.status !== 'pending_payment') return {};
  const paymentUrl = await withDeadline(readPayUrl(redis, id, claim.claimId), REDIS_STEP_MS, 'reading where to pay');
  return paymentUrl === undefined ? {} : { paymentUrl };
}
