import { z } from 'zod';
import { ClaimAnswer, JoinedAnswer, StandbyAnswer } from '../answers/claim-answer.js';
import { ofSale } from '../answers/fields.js';
import { OrderStatus } from '../answers/order-answer.js';
import type { Contract } from '../http/endpoint.js';

/**
 * The contract of `POST /buy/:saleId`, for /openapi.json. The call is answered by apps/api/listeners/buy.ts before
 * Express.
 */
export const buyContract: Contract = {
  method: 'post',
  path: '/buy/:saleId',
  summary: 'Claim a unit; doing it again is harmless',
  params: ofSale,
  query: z.object({}),
  replies: {
    200: { description: 'The buyer holds a claim already: this one', body: z.union([ClaimAnswer, OrderStatus]) },
    202: {
      description:
        'A new claim, a position on standby, or an entry in a line before the opening: ask for the status. With `Preference-Applied`, what became of the claim',
      body: z.union([ClaimAnswer, StandbyAnswer, JoinedAnswer, OrderStatus]),
    },
  },
  problems: [
    'sold_out',
    'unpaid_limit',
    'others_first',
    'group_limit',
    'not_open',
    'pass_required',
    'bad_pass',
    'pass_expired',
    'pass_early',
    'sale_closed',
    'unknown_sale',
    'too_many_requests',
    'too_soon',
  ],
  mayWait: true,
  mayNeedPass: true,
  forBuyer: true,
};
