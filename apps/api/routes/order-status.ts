import { z } from 'zod';
import { ofSale } from '../answers/fields.js';
import type { LookUp } from '../answers/look-up.js';
import { etagOf, type OrderAnswer, OrderStatus } from '../answers/order-answer.js';
import type { Backpressure } from '../answers/poll.js';
import { buyerEndpoint } from '../http/endpoint.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import { untilNews } from '../waiting/news.js';
import type { Waiters } from '../waiting/waiters.js';

/** The most characters of a receipt that are accepted. A receipt has 90 to 110. */
const RECEIPT_CHARS_MAX = 200;

interface OrderStatusParts {
  readonly lookUp: LookUp;
  readonly load: Backpressure;
  readonly waiters: Pick<Waiters, 'open'>;
}

/**
 * Answers the requests for an order's status that apps/api/listeners/order-status.ts leaves to Express, such as waits.
 */
export const orderStatus = buyerEndpoint(
  {
    method: 'get',
    path: '/order-status/:saleId',
    summary: 'Where the buyer stands',
    params: ofSale,
    limit: 'polls',
    query: z.object({
      receipt: z.string().max(RECEIPT_CHARS_MAX).optional().meta({ description: 'As it came with the claim' }),
    }),
    replies: {
      200: {
        description: 'Where the buyer stands; with `Accept: text/event-stream` told again at each change',
        body: OrderStatus,
      },
    },
    mayWait: true,
    tagged: true,
    problems: ['unknown_sale', 'too_many_requests'],
  },
  async ({ lookUp, load, waiters }: OrderStatusParts, { saleId, receipt, buyerId }, req) => {
    const waitSeconds = preferredWait(req);
    const look = () => lookUp({ saleId, buyerId, receipt });
    const tagOf = (answer: OrderAnswer) => etagOf(answer, load.slowdown);
    const known = req.headers['if-none-match'];
    // If the status differs from the one in the client's `If-None-Match`, the client gets it at once, without a wait.
    const isNews = (answer: OrderAnswer) => known !== undefined && !known.includes(tagOf(answer));
    const wait = { saleId, buyerId, waitSeconds, look, isNews };
    const body = waitSeconds === 0 ? await look() : await untilNews(waiters, req, wait);
    return { status: 200, body, headers: { etag: tagOf(body), ...preferenceApplied(waitSeconds) } };
  },
);
