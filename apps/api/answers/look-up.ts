import { type Receipt, verifyReceipt } from '#core/identity/receipt.js';
import { crashPoint, crashStep } from '#core/process/crash-point.js';
import { claimRestored, enqueueFailed } from '#core/process/telemetry.js';
import { enqueuePlaceOrders, enqueueSettleReceipt } from '#core/queue/enqueue.js';
import { readPayUrl } from '#core/redis/claims/pay-url.js';
import { restoreClaim } from '#core/redis/claims/restore.js';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { isLive } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import type { ApiContext } from '../context.js';
import { REDIS_STEP_MS } from '../http/deadline.js';
import type { RecentSale } from '../mirror/sales.js';
import { answerOf, type OrderAnswer } from './order-answer.js';

/**
 * @param ctx the API's parts
 * @param saleId the sale
 * @param buyerId the buyer
 * @param text a receipt, if the buyer has shown one
 * @returns where the buyer stands
 * @throws Problem; NotVerified, and what ioredis throws
 */
export async function lookUp(
  ctx: ApiContext,
  saleId: string,
  buyerId: string,
  text: string | undefined,
): Promise<OrderAnswer> {
  const sale = await ctx.sales.find(saleId);
  const askedAtMs = performance.now();
  const known = await ctx.statuses.read(saleId, buyerId);
  const receipt = text === undefined ? undefined : verifyReceipt(ctx.receiptKey, text, { saleId, buyerId });
  const missing = receipt && isMissing(receipt, known);
  const answer = missing
    ? await redeem(ctx, sale, receipt, known, askedAtMs)
    : answerOf(sale, known, ctx.load.slowdown, askedAtMs);
  return { ...answer, ...(await paymentUrlOf(ctx, sale, known)) };
}

/** Only a sale that is paid at a provider asks Redis for it, and only while there is something to pay. */
async function paymentUrlOf(
  ctx: ApiContext,
  { id, provider }: RecentSale,
  { claim }: BuyerStatus,
): Promise<Pick<OrderAnswer, 'paymentUrl'>> {
  if (provider === 'wallet' || claim?.status !== 'pending_payment') return {};
  const reading = readPayUrl(ctx.redis, id, claim.claimId);
  const paymentUrl = await withDeadline(reading, REDIS_STEP_MS, 'reading where to pay');
  return paymentUrl === undefined ? {} : { paymentUrl };
}

/**
 * A buyer has one live claim at a time. When only an older one is known, which ended, the claim of the receipt may have been
 * lost. A newer one (claim ids grow with time) was won after that of the receipt had ended: bringing it back would be untrue.
 */
function isMissing(receipt: Receipt, { claim }: BuyerStatus): boolean {
  return !claim || (!isLive(claim.status) && claim.claimId < receipt.claimId);
}

/**
 * Makes a lost claim good again while its unit is free. When it isn't, a job may still be about to place the claim, and only
 * Postgres knows: the worker decides, and until then the claim is as queued as it was.
 */
async function redeem(
  ctx: ApiContext,
  sale: RecentSale,
  receipt: Receipt,
  known: BuyerStatus,
  askedAtMs: number,
): Promise<OrderAnswer> {
  const { saleId, buyerId, claimId, unit } = receipt;
  const claim = { buyerId, claimId, unit, status: 'queued' as const };
  const outcome = await withDeadline(
    crashStep('receipt.restore', () => restoreClaim(ctx.redis, saleId, claim)),
    REDIS_STEP_MS,
    'restoring a claim',
  );
  await crashPoint('receipt.restored');
  if (outcome === 'restored') {
    claimRestored(saleId, claimId);
    enqueuePlaceOrders(ctx.queues, { saleId, claims: [claim] }).catch(error => enqueueFailed('place-orders', error));
    return answerOf(sale, { claim }, ctx.load.slowdown, askedAtMs);
  }
  const now = outcome === 'unit_taken' ? known : await ctx.statuses.read(saleId, buyerId);
  // Whoever lost a claim and is in line again wants to know about the line.
  if (now.position !== undefined || (now.claim && (isLive(now.claim.status) || now.claim.claimId === claimId))) {
    return answerOf(sale, now, ctx.load.slowdown, askedAtMs);
  }
  await enqueueSettleReceipt(ctx.queues, { saleId, claimId, buyerId, unit });
  return answerOf(sale, { claim }, ctx.load.slowdown, askedAtMs);
}
