import { z } from 'zod';
import { ofSale, RECEIPT_CHARS_MAX } from '../answers/fields.js';
import type { LookUp } from '../answers/look-up.js';
import { etagOf, OrderStatus } from '../answers/order-answer.js';
import type { Backpressure } from '../answers/poll.js';
import { buyerEndpoint } from '../http/endpoint.js';
import type { Admission } from '../load/load.js';

interface OrderStatusParts {
  readonly lookUp: LookUp;
  readonly load: Backpressure & Admission;
}

/**
 * Answers the requests for an order's status that the listeners before Express leave to it: those in an unusual form.
 * None of them waits.
 */
export const orderStatus = buyerEndpoint(
  {
    method: 'get',
    path: '/order-status/:saleId',
    summary: 'Where the buyer stands',
    params: ofSale,
    limit: 'polls',
    query: z.object({
      receipt: z
        .string()
        .max(RECEIPT_CHARS_MAX)
        .optional()
        .meta({ description: 'As it came with the claim or the entry' }),
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
    problems: ['bad_receipt', 'unknown_sale', 'too_many_requests'],
  },
  async ({ lookUp, load }: OrderStatusParts, question) => {
    load.admit('poll');
    const body = await lookUp(question);
    return { status: 200, body, headers: { etag: etagOf(body, load.slowdown) } };
  },
);
