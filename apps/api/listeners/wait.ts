import { ID_PATTERN } from '#core/rules/claim.js';
import { SECOND_MS, withDeadline } from '#core/rules/clock.js';
import { RECEIPT_CHARS_MAX } from '../answers/fields.js';
import { etagOf, type OrderAnswer } from '../answers/order-answer.js';
import { passSmallBody } from '../http/body.js';
import { buyerOf } from '../http/buyer.js';
import { ANSWER_MS } from '../http/deadline.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import { sendError } from '../http/problem.js';
import { sendJsonText } from '../http/reply.js';
import { type NewsParts, untilNews } from '../waiting/news.js';
import { type StreamParts, type StreamRequest, stream, wantsStream } from '../waiting/stream.js';
import { createFewPerTurn } from './few-per-turn.js';
import { addressOf, type FirstListener } from './first-listener.js';
import { ORDER_STATUS } from './order-status.js';

/** The parts of the API that serve a request that waits for news. */
export interface WaitParts extends StreamParts {
  readonly waiters: StreamParts['waiters'] & NewsParts['waiters'];
}

/**
 * Creates the listener for `GET /order-status/:saleId` with `Prefer: wait=N` or `Accept: text/event-stream`. It stands
 * before Express, and takes up few requests at once. A script may send thousands, and most of those are refused.
 * Requests with a wrong id or receipt are left to Express, which says what is wrong.
 */
export function createWaitListener(parts: WaitParts): FirstListener {
  const takeUpLater = createFewPerTurn();
  return (req, res) => {
    const url = req.url ?? '';
    if (req.method !== 'GET' || !url.startsWith(ORDER_STATUS)) return false;
    const answer = wantsStream(req) ? stream : wait;
    if (answer === wait && preferredWait(req) === 0) return false;
    const { saleId, query } = addressOf(url, ORDER_STATUS);
    const [receipt, ...more] = new URLSearchParams(query).getAll('receipt');
    if (!ID_PATTERN.test(saleId) || more.length > 0 || (receipt?.length ?? 0) > RECEIPT_CHARS_MAX) return false;
    passSmallBody(req, res, () =>
      takeUpLater(() => {
        // A client that has left meanwhile needs no answer.
        if (!req.socket.destroyed) void answer(parts, { req, res, saleId, receipt });
      }),
    );
    return true;
  };
}

/** Answers once there is news of the buyer's order, or after the time that the client wants to wait. */
async function wait(parts: WaitParts, { req, res, saleId, receipt }: StreamRequest): Promise<void> {
  const { verifyToken, limits, load } = parts;
  try {
    const buyerId = buyerOf(req, verifyToken);
    limits.check('waits', buyerId);
    load.admit('poll');
    const waitSeconds = preferredWait(req);
    const tagOf = (answer: OrderAnswer) => etagOf(answer, load.slowdown);
    const known = req.headers['if-none-match'];
    // If the status differs from the one in the client's `If-None-Match`, the client gets it at once, without a wait.
    const isNews = (answer: OrderAnswer) => known !== undefined && !known.includes(tagOf(answer));
    const news = untilNews(parts, req, { saleId, buyerId, receipt, waitSeconds, isNews });
    const { answer, isReplaced } = await withDeadline(news, ANSWER_MS + waitSeconds * SECOND_MS, ORDER_STATUS);
    // A client whose wait was replaced learns from the missing header that it has to poll.
    const applied = isReplaced ? {} : preferenceApplied(waitSeconds);
    sendJsonText(res, 200, JSON.stringify(answer), 'etag', tagOf(answer), ...Object.entries(applied).flat());
  } catch (error) {
    sendError(res, error, ORDER_STATUS);
  }
}
