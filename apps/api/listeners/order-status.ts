import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BuyerStatus } from '#core/redis/claims/status.js';
import { ID_PATTERN, isLive } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { lookUp } from '../answers/look-up.js';
import { answerText, etagOf } from '../answers/order-answer.js';
import type { ApiContext } from '../context.js';
import { buyerOf } from '../http/buyer.js';
import { ANSWER_MS } from '../http/deadline.js';
import { sendError } from '../http/problem.js';
import { sendJsonText } from '../http/reply.js';
import type { RecentSale } from '../mirror/sales.js';
import { addressOf, type FirstListener } from './first-listener.js';

const PREFIX = '/order-status/';

/** A receipt in a form that needs no decoding, which is how the page and most clients send it. */
const RECEIPT_QUERY = /^receipt=([\w.-]{1,200})$/;

interface Poll {
  req: IncomingMessage;
  res: ServerResponse;
  saleId: string;
  buyerId: string;
  receipt: string | undefined;
  /** When it came, by this process's own clock, in ms. */
  atMs: number;
}

/**
 * `GET /order-status/:saleId` as everybody asks who waits for an order: no framework, no promise, and one round trip that is
 * shared with all who came in the same event-loop turn. Whatever is unusual about a request is left to routes/order-status.ts.
 *
 * @param ctx the API's parts
 * @returns the listener
 */
export function orderStatusListener(ctx: ApiContext): FirstListener {
  return (req, res) => {
    const url = req.url ?? '';
    if (req.method !== 'GET' || !url.startsWith(PREFIX) || !isPlain(req)) return false;
    const { saleId, query } = addressOf(url, PREFIX);
    const receipt = query === undefined ? undefined : RECEIPT_QUERY.exec(query)?.[1];
    if (!ID_PATTERN.test(saleId) || (query !== undefined && receipt === undefined)) return false;
    try {
      poll(ctx, { req, res, saleId, buyerId: buyerOf(req, ctx.verifyToken), receipt, atMs: performance.now() });
    } catch (error) {
      sendError(res, error, PREFIX);
    }
    return true;
  };
}

/** Neither a stream, nor a wait, nor anything with a body. */
function isPlain({ headers }: IncomingMessage): boolean {
  if (headers.prefer !== undefined || headers['transfer-encoding'] !== undefined) return false;
  return (headers['content-length'] ?? '0') === '0' && !/\bevent-stream\b/i.test(headers.accept ?? '');
}

function poll(ctx: ApiContext, asked: Poll): void {
  const { res, saleId, buyerId } = asked;
  const sale = ctx.sales.known(saleId);
  if (!sale) return void pollSlowly(ctx, asked);
  const accepted = ctx.statuses.ask(saleId, buyerId, (known, error) => {
    if (!known) sendError(res, error, PREFIX);
    else if (isMore(asked, sale, known)) pollSlowly(ctx, asked);
    else {
      const { text, etag } = answerText(sale, known, ctx.load.slowdown, asked.atMs);
      tell(asked, text, etag);
    }
  });
  if (!accepted) throw new Problem('too_many_requests', { retryAfterSeconds: 1 });
}

/** Whether a receipt may bring back a claim (it says nothing new about a live one), or a payment page is to be shown. */
function isMore({ receipt }: Poll, { provider }: RecentSale, { claim }: BuyerStatus): boolean {
  if (receipt !== undefined && !(claim && isLive(claim.status))) return true;
  return provider !== 'wallet' && claim?.status === 'pending_payment';
}

/** The first poll of a second reads the sale, too. */
function pollSlowly(ctx: ApiContext, asked: Poll): void {
  const { res, saleId, buyerId, receipt, atMs } = asked;
  const leftMs = ANSWER_MS - (performance.now() - atMs);
  withDeadline(lookUp(ctx, saleId, buyerId, receipt), leftMs, PREFIX)
    .then(answer => tell(asked, JSON.stringify(answer), etagOf(answer, ctx.load.slowdown)))
    .catch(error => sendError(res, error, PREFIX));
}

function tell({ req, res }: Poll, text: string, etag: string): void {
  if (!req.headers['if-none-match']?.includes(etag)) return void sendJsonText(res, 200, text, ['etag', etag]);
  res.writeHead(304, ['etag', etag, 'cache-control', 'no-store']);
  res.end();
}
