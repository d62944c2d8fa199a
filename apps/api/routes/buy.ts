import { z } from 'zod';
import { ClaimAnswer, JoinedAnswer, StandbyAnswer } from '../answers/claim-answer.js';
import { instant, ofSale } from '../answers/fields.js';
import { OrderStatus } from '../answers/order-answer.js';
import type { Contract } from '../http/endpoint.js';

const PASS_PROBLEMS = ['pass_required', 'bad_pass', 'pass_expired', 'pass_too_early'] as const;

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
  headers: z.object({
    'dropline-pass': z.string().optional().meta({ description: 'The pass, where the sale `needsPass`' }),
  }),
  replies: {
    200: { description: 'The buyer holds a claim already: this one', body: z.union([ClaimAnswer, OrderStatus]) },
    202: {
      description:
        'A new claim, a position on standby, or an entry in a line before the opening: ask for the status. With `Preference-Applied`, what became of the claim',
      body: z.union([ClaimAnswer, StandbyAnswer, JoinedAnswer, OrderStatus]),
    },
  },
  problems: ['sold_out', 'not_open', 'sale_closed', 'unknown_sale', 'too_many_requests', 'too_soon', ...PASS_PROBLEMS],
  mayWait: true,
  forBuyer: true,
};

const PassAnswer = z.object({
  pass: z.string().meta({ description: 'To be sent with `POST /buy/:saleId` in the header `Dropline-Pass`' }),
  validFrom: instant,
  validUntil: instant.meta({ description: 'UTC. Get the next pass before' }),
});

const ChallengeAnswer = z.object({
  challenge: z
    .object({ parameters: z.record(z.string(), z.unknown()), signature: z.string() })
    .meta({ description: 'By the protocol of ALTCHA, version 2. Solve it within 5 minutes' }),
});

const Solution = z.object({
  solution: z
    .string()
    .optional()
    .meta({ description: 'Of a challenge: the JSON of `{challenge, solution}` in base64' }),
});

/**
 * The contract of `POST /pass/:saleId`, for /openapi.json. The call is answered by apps/api/listeners/pass.ts before
 * Express.
 */
export const passContract: Contract = {
  method: 'post',
  path: '/pass/:saleId',
  summary: 'Get a pass for a sale that needs one, from 60 s before buyers may click',
  params: ofSale,
  query: z.object({}),
  body: Solution,
  replies: {
    200: {
      description: 'The pass, or the challenge that has to be solved before. No cache may keep them',
      body: z.union([PassAnswer, ChallengeAnswer]),
    },
  },
  problems: ['pass_too_early', 'bad_solution', 'sale_closed', 'unknown_sale', 'too_many_requests'],
  forBuyer: true,
};
