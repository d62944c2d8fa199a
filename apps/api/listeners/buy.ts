import type { IncomingMessage, ServerResponse } from 'node:http';
import { signReceipt } from '#core/identity/receipt.js';
import { storeFailed } from '#core/process/telemetry.js';
import type { ClaimOutcome, SaleRefusal, TooSoon } from '#core/redis/claims/claim.js';
import { type ClaimRecord, ID_PATTERN } from '#core/rules/claim.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { Problem, type ProblemCode, type ProblemDetails } from '#core/rules/errors.js';
import { lookUp } from '../answers/look-up.js';
import type { OrderAnswer } from '../answers/order-answer.js';
import { type PublicStatus, pollAfterMs } from '../answers/poll.js';
import type { ApiContext } from '../context.js';
import { passSmallBody } from '../http/body.js';
import { buyerOf } from '../http/buyer.js';
import { ANSWER_MS } from '../http/deadline.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import { sendError, sendProblem } from '../http/problem.js';
import { sendJson, sendJsonText } from '../http/reply.js';
import { untilNews } from '../waiting/news.js';
import { addressOf, type FirstListener } from './first-listener.js';

const PREFIX = '/buy/';

/** A sale that is paused, or not verified after a restart of Redis, is usually back within this many seconds. */
const PAUSED_RETRY_SECONDS = 5;
const UNVERIFIED_RETRY_SECONDS = 2;

/**
 * `POST /buy/:saleId`, the one call that the whole crowd makes at once. So it is a plain listener without a framework, it parses
 * no body, and it waits for one round trip that it shares with everybody who came in the same event-loop turn.
 *
 * @param ctx the API's parts
 * @returns the listener
 */
export function buyListener(ctx: ApiContext): FirstListener {
  return (req, res) => {
    const url = req.url ?? '';
    if (!url.startsWith(PREFIX)) return false;
    const { saleId } = addressOf(url, PREFIX);
    // Another path than this call's, such as one that ends in a slash.
    if (saleId === '' || saleId.includes('/')) return false;
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      sendProblem(res, 'method_not_allowed');
      return true;
    }
    passSmallBody(req, res, () => {
      try {
        buy(ctx, req, res, saleId);
      } catch (error) {
        sendError(res, error, 'buy');
      }
    });
    return true;
  };
}

/** One buyer's request for one sale. */
interface Click {
  req: IncomingMessage;
  res: ServerResponse;
  saleId: string;
  buyerId: string;
}

function buy(ctx: ApiContext, req: IncomingMessage, res: ServerResponse, saleId: string): void {
  if (!ID_PATTERN.test(saleId))
    return void sendProblem(res, 'invalid_request', { detail: 'no sale has an id like this' });
  const buyerId = buyerOf(req, ctx.verifyToken);
  // While there is nothing to give, refusals come from memory: Redis is left to those it can do something for.
  const refusal = ctx.mirrors.refusalOf(saleId, buyerId);
  if (refusal !== undefined) return void ctx.refuse(res, refusal);
  const click = { req, res, saleId, buyerId };
  const accepted = ctx.claims(saleId, buyerId, (outcome, error) => {
    if (outcome) answer(ctx, click, outcome);
    else sendError(res, error, 'buy');
  });
  if (!accepted) sendProblem(res, 'too_many_requests', { retryAfterSeconds: 1 });
}

function answer(ctx: ApiContext, click: Click, outcome: ClaimOutcome): void {
  const { res, saleId } = click;
  switch (outcome.kind) {
    case 'won': {
      const { claimId, unit } = outcome.claim;
      return void sendClaim(ctx, click, 202, { claimId, unit, status: 'queued' });
    }
    case 'held':
      return void sendClaim(ctx, click, 200, outcome.claim);
    case 'standby':
      return void sendJson(res, 202, {
        status: 'standby',
        position: outcome.position,
        pollAfterMs: pollAfter(ctx, saleId, 'standby'),
      });
    case 'sold_out':
      return void sendProblem(res, 'sold_out');
    case 'too_soon':
      return void sendProblem(res, 'too_soon', tooSoon(outcome.because, outcome.waitMs));
    case 'refused': {
      const problem = refusalOf(outcome.refusal, outcome.opensAtMs ?? 0);
      if (outcome.refusal !== 'unknown_sale') return void sendProblem(res, ...problem);
      // Only a sale that isn't loaded needs another look: it may not exist, or Redis may have lost it.
      ctx.sales
        .find(saleId)
        .then(() => sendProblem(res, ...problem))
        .catch(error => sendError(res, error, 'buy'));
    }
  }
}

/** The receipt comes with every answer until the order is placed, as the first one may have been lost on its way. */
function sendClaim(ctx: ApiContext, click: Click, httpStatus: 200 | 202, claim: ClaimRecord): void {
  if (click.req.headers.prefer === undefined)
    return void sendJsonText(click.res, httpStatus, claimText(ctx, click, claim));
  sendWhenPlaced(ctx, click, httpStatus, claim).catch(error => sendError(click.res, error, 'buy'));
}

/** Written without an object in between. Nothing in it needs escaping: ids, numbers, our own words and a receipt. */
function claimText(ctx: ApiContext, click: Click, claim: ClaimRecord): string {
  const { saleId } = click;
  const { status, claimId, unit } = claim;
  const poll = pollAfter(ctx, saleId, status);
  const pollText = poll === undefined ? '' : `,"pollAfterMs":${poll}`;
  const text = `{"status":"${status}","claimId":"${claimId}","unit":${unit}${pollText}`;
  if (status !== 'queued') return `${text}}`;
  return `${text},"receipt":"${receiptOf(ctx, click, claim)}"}`;
}

function receiptOf(ctx: ApiContext, { saleId, buyerId }: Click, { claimId, unit }: ClaimRecord): string {
  return signReceipt(ctx.receiptKey, { saleId, buyerId, claimId, unit, wonAtMs: Date.now() });
}

function pollAfter(ctx: ApiContext, saleId: string, status: PublicStatus): number | undefined {
  return pollAfterMs(status, ctx.load.slowdown, ctx.sales.known(saleId)?.payWithinSeconds);
}

async function sendWhenPlaced(ctx: ApiContext, click: Click, httpStatus: 200 | 202, claim: ClaimRecord): Promise<void> {
  const { req, res } = click;
  const waitSeconds = preferredWait(req);
  const applied = preferenceApplied(waitSeconds);
  const isQueued = claim.status === 'queued';
  const now = waitSeconds > 0 && isQueued ? await whenPlaced(ctx, click, claim, waitSeconds) : undefined;
  // The claim of this call has ended, and perhaps another one began: then its receipt says nothing about where the buyer is.
  if (now && isElsewhere(now, claim.claimId)) sendJson(res, httpStatus, now, applied);
  else sendJsonText(res, httpStatus, claimText(ctx, click, claim), Object.entries(applied).flat());
}

/** Whether a buyer is elsewhere than queued with this claim. */
function isElsewhere({ status, claimId }: OrderAnswer, queuedClaimId: string): boolean {
  return status !== 'queued' || claimId !== queuedClaimId;
}

/** Whoever has won is told so, whatever becomes of the waiting. The buyer has no receipt yet, in case Redis loses the claim: we have. */
async function whenPlaced(
  ctx: ApiContext,
  click: Click,
  claim: ClaimRecord,
  waitSeconds: number,
): Promise<OrderAnswer | undefined> {
  const { req, saleId, buyerId } = click;
  const { claimId } = claim;
  const receipt = receiptOf(ctx, click, claim);
  const look = () => lookUp(ctx, saleId, buyerId, receipt);
  const isNews = (now: OrderAnswer) => isElsewhere(now, claimId);
  const limitMs = waitSeconds * SECOND_MS + ANSWER_MS;
  try {
    const news = untilNews(ctx, req, { saleId, buyerId, waitSeconds, look, isNews });
    return await withDeadline(news, limitMs, 'waiting for the order');
  } catch (error) {
    if (!(error instanceof Problem)) storeFailed('redis', error);
    return undefined;
  }
}

function tooSoon(because: TooSoon, waitMs: number): ProblemDetails {
  const detail =
    because === 'interval' ? 'the pause between two purchases is not over' : 'another purchase is not finished';
  return { detail, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / SECOND_MS)) };
}

function refusalOf(refusal: SaleRefusal, opensAtMs: number): [ProblemCode, ProblemDetails?] {
  const opensAt = new Date(opensAtMs).toISOString();
  switch (refusal) {
    case 'closed':
      return ['sale_closed'];
    case 'paused':
      return ['not_open', { detail: 'the sale is paused', opensAt, retryAfterSeconds: PAUSED_RETRY_SECONDS }];
    case 'not_open': {
      const seconds = Math.ceil((opensAtMs - Date.now()) / 1_000);
      return ['not_open', { opensAt, retryAfterSeconds: Math.max(1, seconds) }];
    }
    case 'unknown_sale':
    case 'unverified':
      return ['unavailable', { retryAfterSeconds: UNVERIFIED_RETRY_SECONDS }];
  }
}
