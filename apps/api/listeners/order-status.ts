import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TokenVerifier } from '#core/identity/token.js';
import { ID_PATTERN } from '#core/rules/claim.js';
import { withDeadline } from '#core/rules/clock.js';
import { Problem } from '#core/rules/errors.js';
import { RECEIPT_CHARS_MAX } from '../answers/fields.js';
import { type LookUp, type LookUpParts, needsLookUp, newReceiptOf } from '../answers/look-up.js';
import { answerText, etagOf } from '../answers/order-answer.js';
import type { Backpressure } from '../answers/poll.js';
import type { Statuses } from '../batching/status-batch.js';
import type { RefuseAtTurnEnd } from '../batching/turn-refusals.js';
import { buyerOf } from '../http/buyer.js';
import { ANSWER_MS } from '../http/deadline.js';
import { sendError } from '../http/problem.js';
import { sendJsonText } from '../http/reply.js';
import type { BuyerLimits } from '../limits/buyer-limits.js';
import type { Admission } from '../load/load.js';
import type { Sales } from '../mirror/sales.js';
import { wantsStream } from '../waiting/stream.js';
import { addressOf, type FirstListener } from './first-listener.js';

/** The path of every request for an order's status, before the sale's id. */
export const ORDER_STATUS = '/order-status/';

/** Matches a query with a receipt that needs no URL decoding. The page and most clients send it in this form. */
const RECEIPT_QUERY = new RegExp(`^receipt=([\\w.-]{1,${RECEIPT_CHARS_MAX}})$`);

/** One poll of a buyer for the status of their order. */
interface Poll {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly saleId: string;
  readonly buyerId: string;
  readonly receipt: string | undefined;
  /** When the poll arrived, by this process's `performance.now()`, in ms. */
  readonly askedAtMs: number;
  readonly slowdown: number;
}

/** The parts of the API that serve a poll for an order's status. */
export interface OrderStatusParts {
  readonly verifyToken: TokenVerifier;
  readonly limits: Pick<BuyerLimits, 'refusalOf'>;
  readonly refuse: RefuseAtTurnEnd;
  readonly load: Backpressure & Admission;
  readonly sales: Pick<Sales, 'known'>;
  readonly statuses: Pick<Statuses, 'ask'>;
  readonly lookUp: LookUp;
  readonly receiptKeys: LookUpParts['receiptKeys'];
}

/**
 * Creates the listener for the usual poll of `GET /order-status/:saleId`. It uses neither a framework nor a promise.
 * All polls for one sale in one turn of the event loop share one round trip to Redis. Requests for a wait or a stream are
 * left to the next listener (apps/api/listeners/wait.ts), and those with a body or an unusual query to Express.
 */
export function createOrderStatusListener(parts: OrderStatusParts): FirstListener {
  return (req, res) => {
    const url = req.url ?? '';
    if (req.method !== 'GET' || !url.startsWith(ORDER_STATUS) || !isPlain(req)) return false;
    const { saleId, query } = addressOf(url, ORDER_STATUS);
    const receipt = query === undefined ? undefined : RECEIPT_QUERY.exec(query)?.[1];
    if (!ID_PATTERN.test(saleId) || (query !== undefined && receipt === undefined)) return false;
    try {
      const buyerId = buyerOf(req, parts.verifyToken);
      const limited = parts.limits.refusalOf('polls', buyerId);
      if (limited) parts.refuse(res, limited);
      else {
        const { load } = parts;
        load.admit('poll');
        const askedAtMs = performance.now();
        answerPoll(parts, { req, res, saleId, buyerId, receipt, askedAtMs, slowdown: load.slowdown });
      }
    } catch (error) {
      sendError(res, error, ORDER_STATUS);
    }
    return true;
  };
}

/** Returns whether a request is a usual poll. It asks for neither a stream nor a wait and has no body. */
function isPlain(req: IncomingMessage): boolean {
  const { headers } = req;
  if (headers.prefer !== undefined || headers['transfer-encoding'] !== undefined) return false;
  return (headers['content-length'] ?? '0') === '0' && !wantsStream(req);
}

function answerPoll({ sales, statuses, lookUp, receiptKeys }: OrderStatusParts, poll: Poll): void {
  const { res, saleId, buyerId, askedAtMs, slowdown } = poll;
  const sale = sales.known(saleId);
  // A sale is remembered for a second. Then a poll must read the sale as well, which the slower look-up does.
  if (!sale) return void answerSlowly(lookUp, poll);
  const accepted = statuses.ask(saleId, buyerId, (known, error) => {
    if (!known) sendError(res, error, ORDER_STATUS);
    else if (needsLookUp(poll, sale, known)) answerSlowly(lookUp, poll);
    else {
      const newReceipt = newReceiptOf(receiptKeys, poll, known);
      const { text, etag } = answerText(sale, known, { askedAtMs, slowdown, newReceipt });
      send(poll, text, etag);
    }
  });
  if (!accepted) throw new Problem('too_many_requests', { retryAfterSeconds: 1 });
}

function answerSlowly(lookUp: LookUp, poll: Poll): void {
  const leftMs = ANSWER_MS - (performance.now() - poll.askedAtMs);
  withDeadline(lookUp(poll), leftMs, ORDER_STATUS)
    .then(answer => send(poll, JSON.stringify(answer), etagOf(answer, poll.slowdown)))
    .catch(error => sendError(poll.res, error, ORDER_STATUS));
}

function send({ req, res }: Poll, text: string, etag: string): void {
  if (!req.headers['if-none-match']?.includes(etag)) return void sendJsonText(res, 200, text, 'etag', etag);
  res.writeHead(304, ['etag', etag, 'cache-control', 'no-store']);
  res.end();
}
