import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ReceiptKey, signReceipt } from '#core/identity/receipt.js';
import { storeFailed } from '#core/process/telemetry.js';
import type { ClaimOutcome } from '#core/redis/claims/claim.js';
import type { ClaimRecord } from '#core/rules/claim.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { claimText } from '../answers/claim-answer.js';
import type { LookUp } from '../answers/look-up.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import { type PollParts, pollAfterIn } from '../answers/poll.js';
import { ANSWER_MS } from '../http/deadline.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import { sendError } from '../http/problem.js';
import { sendJson, sendJsonText } from '../http/reply.js';
import { untilNews } from '../waiting/news.js';
import type { Waiters } from '../waiting/waiters.js';

/** One buyer's request for a unit of one sale. */
export interface Click {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly saleId: string;
  readonly buyerId: string;
}

/** The parts that an answer with a claim is made of. */
export interface SendClaimParts extends PollParts {
  readonly receiptKey: ReceiptKey;
  readonly lookUp: LookUp;
  readonly waiters: Pick<Waiters, 'open'>;
}

/**
 * Answers a click that holds a claim: 202 for a new claim, 200 for one that the buyer had already. With `Prefer: wait=N`
 * the answer waits until the order is placed.
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

/** A queued claim comes with its receipt every time, as the first answer may have been lost on its way. */
function textOf(parts: SendClaimParts, click: Click, claim: ClaimRecord): string {
  const { status } = claim;
  const receipt = status === 'queued' ? receiptOf(parts, click, claim) : undefined;
  return claimText(claim, pollAfterIn(parts, click.saleId, status), receipt);
}

function receiptOf({ receiptKey }: SendClaimParts, click: Click, { claimId, unit }: ClaimRecord): string {
  const { saleId, buyerId } = click;
  return signReceipt(receiptKey, { saleId, buyerId, claimId, unit, wonAtMs: Date.now() });
}

/**
 * Waits for the order of a queued claim, as long as the client wants to.
 *
 * @returns the buyer's status once it has changed; undefined after the wait, or if the wait fails
 */
async function whenPlaced(parts: SendClaimParts, click: Click, claim: ClaimRecord): Promise<OrderAnswer | undefined> {
  const { req, saleId, buyerId } = click;
  const waitSeconds = preferredWait(req);
  if (waitSeconds === 0 || claim.status !== 'queued') return undefined;
  // The buyer has no receipt yet, and Redis may lose the claim while they wait.
  const receipt = receiptOf(parts, click, claim);
  const look = () => parts.lookUp({ saleId, buyerId, receipt });
  // The claim may have ended and another one begun: then its receipt says nothing about the buyer's status.
  const isNews = (now: OrderAnswer) => now.status !== 'queued' || now.claimId !== claim.claimId;
  const limitMs = waitSeconds * SECOND_MS + ANSWER_MS;
  try {
    const news = untilNews(parts.waiters, req, { saleId, buyerId, waitSeconds, look, isNews });
    const now = await withDeadline(news, limitMs, 'waiting for the order');
    return isNews(now) ? now : undefined;
  } catch (error) {
    if (!(error instanceof Problem)) storeFailed('redis', error);
    return undefined;
  }
}
