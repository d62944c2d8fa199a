import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClaimRecord, ID_PATTERN, parseClaimRecord } from '#core/claim.js';
import { SECOND_MS, withDeadline } from '#core/clock.js';
import { Problem, type ProblemCode, type ProblemDetails } from '#core/errors.js';
import { storeFailed } from '#core/events.js';
import { signReceipt } from '#core/receipt.js';
import type { ClaimOutcome, SaleRefusal, TooSoon } from '#core/stock/claims.js';
import { passSmallBody } from './body.js';
import { buyerOf } from './buyer.js';
import type { ApiContext } from './context.js';
import { ANSWER_MS } from './deadline.js';
import { untilNews } from './news.js';
import type { OrderAnswer } from './order-answer.js';
import { pollAfterMs } from './poll.js';
import { preferenceApplied, preferredWait } from './prefer.js';
import { sendError, sendProblem, sendReady } from './problem.js';
import { sendJson } from './reply.js';
import { lookUp } from './routes/order-status.js';

const PREFIX = '/buy/';

/** A sale that is paused, or not verified after a restart of Redis, is usually back within this many seconds. */
const PAUSED_RETRY_SECONDS = 5;
const UNVERIFIED_RETRY_SECONDS = 2;

/** Answers a request if it is for it. */
export type FirstListener = (req: IncomingMessage, res: ServerResponse) => boolean;

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
    if (req.method !== 'POST') {
      res.setHeader('allow', 'POST');
      sendProblem(res, 'method_not_allowed');
      return true;
    }
    passSmallBody(req, res, () => {
      buy(ctx, req, res, saleIdOf(url)).catch(error => sendError(res, error, 'buy'));
    });
    return true;
  };
}

function saleIdOf(url: string): string {
  const end = url.indexOf('?', PREFIX.length);
  return url.slice(PREFIX.length, end === -1 ? undefined : end);
}

async function buy(ctx: ApiContext, req: IncomingMessage, res: ServerResponse, saleId: string): Promise<void> {
  if (!ID_PATTERN.test(saleId)) return sendProblem(res, 'invalid_request', { detail: 'no sale has an id like this' });
  const buyerId = buyerOf(req, ctx.verifyToken);
  // While there is nothing to give, refusals and repeats come from memory: Redis is left to those it can do something for.
  const refusal = ctx.mirrors.refusalOf(saleId, buyerId);
  if (refusal !== undefined) return sendReady(res, refusal);
  const record = ctx.mirrors.recordOf(saleId, buyerId);
  const outcome =
    record === undefined ? ctx.claims(saleId, buyerId) : { kind: 'held' as const, claim: parseClaimRecord(record) };
  if (!outcome) return sendProblem(res, 'too_many_requests', { retryAfterSeconds: 1 });
  await answer(ctx, req, res, saleId, buyerId, await outcome);
}

async function answer(
  ctx: ApiContext,
  req: IncomingMessage,
  res: ServerResponse,
  saleId: string,
  buyerId: string,
  outcome: ClaimOutcome,
): Promise<void> {
  switch (outcome.kind) {
    case 'won':
      return sendClaim(ctx, req, res, 202, saleId, buyerId, { ...outcome.claim, status: 'queued' });
    case 'held':
      return sendClaim(ctx, req, res, 200, saleId, buyerId, outcome.claim);
    case 'standby':
      return sendJson(res, 202, {
        status: 'standby',
        position: outcome.position,
        pollAfterMs: pollAfterMs('standby'),
      });
    case 'sold_out':
      return sendProblem(res, 'sold_out');
    case 'too_soon':
      return sendProblem(res, 'too_soon', tooSoon(outcome.because, outcome.waitMs));
    case 'refused':
      // Only a sale that isn't loaded needs another look: it may not exist, or Redis may have lost it.
      if (outcome.refusal === 'unknown_sale') await ctx.sales.find(saleId);
      return sendProblem(res, ...refusalOf(outcome.refusal, outcome.opensAtMs ?? 0));
  }
}

/** The receipt comes with every answer until the order is placed, as the first one may have been lost on its way. */
async function sendClaim(
  ctx: ApiContext,
  req: IncomingMessage,
  res: ServerResponse,
  httpStatus: 200 | 202,
  saleId: string,
  buyerId: string,
  { claimId, unit, status }: ClaimRecord,
): Promise<void> {
  if (status !== 'queued') {
    return sendJson(res, httpStatus, { status, claimId, unit, pollAfterMs: pollAfterMs(status) }, applied(req));
  }
  const receipt = signReceipt(ctx.config.AUTH_SECRET, { saleId, buyerId, claimId, unit, wonAtMs: Date.now() });
  const queued: OrderAnswer = { status, claimId, unit, pollAfterMs: pollAfterMs(status) };
  const waitSeconds = preferredWait(req);
  const now = waitSeconds === 0 ? queued : await whenPlaced(ctx, req, { saleId, buyerId, waitSeconds, queued });
  // The claim of this call has ended, and perhaps another one began: then its receipt says nothing about where the buyer is.
  sendJson(res, httpStatus, now.status === 'queued' ? { ...now, receipt } : now, applied(req));
}

interface Queued {
  saleId: string;
  buyerId: string;
  waitSeconds: number;
  queued: OrderAnswer;
}

/** Whoever has won is told so, whatever becomes of the waiting. */
async function whenPlaced(ctx: ApiContext, req: IncomingMessage, { queued, ...of }: Queued): Promise<OrderAnswer> {
  const look = () => lookUp(ctx, of.saleId, of.buyerId, undefined);
  const limitMs = of.waitSeconds * SECOND_MS + ANSWER_MS;
  try {
    return await withDeadline(untilNews(ctx, req, { ...of, look, from: queued }), limitMs, 'waiting for the order');
  } catch (error) {
    if (!(error instanceof Problem)) storeFailed('redis', error);
    return queued;
  }
}

function applied(req: IncomingMessage): Record<string, string> | undefined {
  return req.headers.prefer === undefined ? undefined : preferenceApplied(preferredWait(req));
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
