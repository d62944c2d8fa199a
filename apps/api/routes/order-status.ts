import { z } from 'zod';
import { ofSale } from '../answers/fields.js';
import { lookUp } from '../answers/look-up.js';
import { etagOf, type OrderAnswer, OrderStatus } from '../answers/order-answer.js';
import { buyerEndpoint } from '../http/endpoint.js';
import { preferenceApplied, preferredWait } from '../http/prefer.js';
import { untilNews } from '../waiting/news.js';

/** A receipt is 90 to 110 characters. */
const RECEIPT_CHARS_MAX = 200;

/** Where the buyer stands; with a receipt, also if Redis has lost the claim. Plain polls are answered in apps/api/listeners/order-status.ts. */
export const orderStatus = buyerEndpoint(
  {
    method: 'get',
    path: '/order-status/:saleId',
    summary: 'Where the buyer stands',
    params: ofSale,
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
  async (ctx, { saleId, receipt }, buyerId, req) => {
    const waitSeconds = preferredWait(req);
    const look = () => lookUp(ctx, saleId, buyerId, receipt);
    const tagOf = (answer: OrderAnswer) => etagOf(answer, ctx.load.slowdown);
    const known = req.headers['if-none-match'];
    // What has happened since the answer that the client has is news already.
    const isNews = (answer: OrderAnswer) => known !== undefined && !known.includes(tagOf(answer));
    const body =
      waitSeconds === 0 ? await look() : await untilNews(ctx, req, { saleId, buyerId, waitSeconds, look, isNews });
    return { status: 200, body, headers: { etag: tagOf(body), ...preferenceApplied(waitSeconds) } };
  },
);
