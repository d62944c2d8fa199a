import { z } from 'zod';
import { claimId, claimStatus, ofSale, pollAfter, position, unit } from '../answers/fields.js';
import { OrderStatus } from '../answers/order-answer.js';
import type { Contract } from '../http/endpoint.js';

const Claimed = z.object({
  status: claimStatus,
  claimId,
  unit,
  receipt: z.string().optional().meta({ description: 'Proof of the claim; keep it until the order is placed' }),
  pollAfterMs: pollAfter.optional(),
});
const InLine = z.object({ status: z.literal('standby'), position, pollAfterMs: pollAfter });

/** What apps/api/listeners/buy.ts keeps to, which answers before Express does. */
export const buyContract: Contract = {
  method: 'post',
  path: '/buy/:saleId',
  summary: 'Claim a unit; doing it again is harmless',
  params: ofSale,
  query: z.object({}),
  replies: {
    200: { description: 'The buyer holds a claim already: this one', body: z.union([Claimed, OrderStatus]) },
    202: {
      description:
        'A new claim, or a place in the line: ask for the status. After `Prefer: wait=N`, what became of the claim',
      body: z.union([Claimed, InLine, OrderStatus]),
    },
  },
  problems: ['sold_out', 'not_open', 'sale_closed', 'unknown_sale', 'too_many_requests', 'too_soon'],
  mayWait: true,
  forBuyer: true,
};
