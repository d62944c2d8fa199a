import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClaimRecord, ID_PATTERN } from '#core/claim.js';
import type { ProblemCode, ProblemDetails } from '#core/errors.js';
import { signReceipt } from '#core/receipt.js';
import type { ClaimOutcome, SaleRefusal } from '#core/stock/claims.js';
import { passSmallBody } from './body.js';
import { buyerOf } from './buyer.js';
import type { ApiContext } from './context.js';
import { pollAfterMs } from './poll.js';
import { sendError, sendProblem } from './problem.js';
import { sendJson } from './reply.js';

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
  const outcome = ctx.claims(saleId, buyerId);
  if (!outcome) return sendProblem(res, 'too_many_requests', { retryAfterSeconds: 1 });
  await answer(ctx, res, saleId, buyerId, await outcome);
}

async function answer(
  ctx: ApiContext,
  res: ServerResponse,
  saleId: string,
  buyerId: string,
  outcome: ClaimOutcome,
): Promise<void> {
  switch (outcome.kind) {
    case 'won':
      return sendClaim(ctx, res, 202, saleId, buyerId, { ...outcome.claim, status: 'queued' });
    case 'held':
      return sendClaim(ctx, res, 200, saleId, buyerId, outcome.claim);
    case 'standby':
      return sendJson(res, 202, {
        status: 'standby',
        position: outcome.position,
        pollAfterMs: pollAfterMs('standby'),
      });
    case 'sold_out':
      return sendProblem(res, 'sold_out');
    case 'refused':
      // Only a sale that isn't loaded needs another look: it may not exist, or Redis may have lost it.
      if (outcome.refusal === 'unknown_sale') await ctx.sales.find(saleId);
      return sendProblem(res, ...refusalOf(outcome.refusal, outcome.opensAtMs ?? 0));
  }
}

/** The receipt comes with every answer until the order is placed, as the first one may have been lost on its way. */
function sendClaim(
  ctx: ApiContext,
  res: ServerResponse,
  httpStatus: 200 | 202,
  saleId: string,
  buyerId: string,
  { claimId, unit, status }: ClaimRecord,
): void {
  const receipt =
    status === 'queued'
      ? signReceipt(ctx.config.AUTH_SECRET, { saleId, buyerId, claimId, unit, wonAtMs: Date.now() })
      : undefined;
  sendJson(res, httpStatus, { status, claimId, unit, receipt, pollAfterMs: pollAfterMs(status) });
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
