import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ReceiptKey, signReceiptOf } from '#core/identity/receipt.js';
import { storeFailed } from '#core/process/telemetry.js';
import type { ClaimOutcome } from '#core/redis/claims/claim.js';
import type { ClaimRecord } from '#core/rules/claim.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { claimText } from '../answers/claim-answer.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import { type PollParts, pollAfterIn } from '../answers/poll.js';
import { ANSWER_MS } from '../http/deadline.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import { sendError } from '../http/problem.js';
import { sendJson, sendJsonText } from '../http/reply.js';
import { type NewsParts, untilNews } from '../waiting/news.js';

/** One buyer's request for a unit of one sale. */
export interface Click {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly saleId: string;
  readonly buyerId: string;
}

/** The parts of the API that answer a click whose buyer holds a claim. */
export interface SendClaimParts extends PollParts, NewsParts {
  readonly receiptKey: ReceiptKey;
}

/**
 * Answers a click whose buyer holds a claim. The HTTP status is 202 for a new claim, and 200 for an earlier one. With
 * `Prefer: wait=N` the answer waits up to N seconds for the order to be placed.
 */
export function sendClaim(parts: SendClaimParts, click: Click, outcome: Outcome): void {
  const { req, res } = click;
  const httpStatus = outcome.kind === 'won' ? 202 : 200;
  const claim = claimOf(outcome);
  if (req.headers.prefer === undefined) return void sendJsonText(res, httpStatus, textOf(parts, click, claim));
  const applied = preferenceApplied(preferredWait(req));
  whenPlaced(parts, click, claim)
    .then(now => {
      if (now) sendJson(res, { status: httpStatus, body: now, headers: applied });
      else sendJsonText(res, httpStatus, textOf(parts, click, claim), ...Object.entries(applied).flat());
    })
    .catch(error => sendError(res, error, 'buy'));
}

type Outcome = Extract<ClaimOutcome, { kind: 'won' | 'held' }>;

function claimOf(outcome: Outcome): ClaimRecord {
  if (outcome.kind === 'held') return outcome.claim;
  const { claimId, unit } = outcome.claim;
  return { claimId, unit, status: 'queued' };
}

/**
 * Writes the answer about the claim of a click. A queued claim comes with its receipt every time, as an earlier answer
 * may have been lost on its way.
 */
function textOf(parts: SendClaimParts, click: Click, claim: ClaimRecord): string {
  const { status } = claim;
  const receipt = status === 'queued' ? receiptOf(parts, click, claim) : undefined;
  return claimText(claim, pollAfterIn(parts, click.saleId, status), receipt);
}

function receiptOf({ receiptKey }: SendClaimParts, click: Click, { claimId, unit }: ClaimRecord): string {
  const { saleId, buyerId } = click;
  return signReceiptOf(receiptKey, { saleId, buyerId, claimId, unit });
}

/**
 * Waits until the queued claim of a click has become an order, as long as the client wants to.
 *
 * @returns the buyer's status once it has changed; undefined after the wait, or if the wait fails
 */
async function whenPlaced(parts: SendClaimParts, click: Click, claim: ClaimRecord): Promise<OrderAnswer | undefined> {
  const { req, saleId, buyerId } = click;
  const waitSeconds = preferredWait(req);
  if (waitSeconds === 0 || claim.status !== 'queued') return undefined;
  // The look-up gets the claim's receipt, as Redis may lose the claim during the wait. The buyer has no receipt yet.
  const receipt = receiptOf(parts, click, claim);
  // If another claim has replaced this click's claim, the buyer gets the new status. The old claim's receipt says
  // nothing about it.
  const isNews = (now: OrderAnswer) => now.status !== 'queued' || now.claimId !== claim.claimId;
  const limitMs = waitSeconds * SECOND_MS + ANSWER_MS;
  try {
    const news = untilNews(parts, req, { saleId, buyerId, receipt, waitSeconds, isNews });
    const { answer } = await withDeadline(news, limitMs, 'waiting for the order');
    return isNews(answer) ? answer : undefined;
  } catch (error) {
    if (!(error instanceof Problem)) storeFailed('redis', error);
    return undefined;
  }
}
