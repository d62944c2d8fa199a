import { z } from 'zod';
import { ofSale } from '../answers/fields.js';
import { etagOf, type OrderAnswer, OrderStatus } from '../answers/order-answer.js';
import type { Backpressure } from '../answers/poll.js';
import { buyerEndpoint } from '../http/endpoint.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import type { Admission } from '../load/load.js';
import { type NewsParts, untilNews } from '../waiting/news.js';

/** The most characters of a receipt that are accepted. A receipt has 90 to 110. */
const RECEIPT_CHARS_MAX = 200;

interface OrderStatusParts extends NewsParts {
  readonly load: Backpressure & Admission;
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
        description:
          'Where the buyer stands; with `Accept: text/event-stream` an event `status` at each change, and `replaced` at the end of a stream with too many later ones. Without `Preference-Applied` a wait was replaced: poll',
        body: OrderStatus,
      },
    },
    mayWait: true,
    tagged: true,
    problems: ['unknown_sale', 'too_many_requests'],
  },
  async (parts: OrderStatusParts, question, req) => {
    const { lookUp, load } = parts;
    load.admit('poll');
    const waitSeconds = preferredWait(req);
    const tagOf = (answer: OrderAnswer) => etagOf(answer, load.slowdown);
    const known = req.headers['if-none-match'];
    // If the status differs from the one in the client's `If-None-Match`, the client gets it at once, without a wait.
    const isNews = (answer: OrderAnswer) => known !== undefined && !known.includes(tagOf(answer));
    if (waitSeconds === 0) {
      const body = await lookUp(question);
      return { status: 200, body, headers: { etag: tagOf(body) } };
    }
    const { answer, isReplaced } = await untilNews(parts, req, { ...question, waitSeconds, isNews });
    // A client whose wait was replaced learns from the missing header that it has to poll.
    const applied = isReplaced ? {} : preferenceApplied(waitSeconds);
    return { status: 200, body: answer, headers: { etag: tagOf(answer), ...applied } };
  },
);
