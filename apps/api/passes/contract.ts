import { z } from 'zod';
import { instant, ofSale } from '../answers/fields.js';
import type { Contract } from '../http/endpoint.js';

/** The most characters of a solution. One has about 750, and the whole body at most 1,024 bytes. */
const SOLUTION_CHARS_MAX = 1_000;

/** The body of a request for a pass. */
export const PassRequest = z.object({
  solution: z
    .string()
    .max(SOLUTION_CHARS_MAX)
    .optional()
    .meta({ description: 'ALTCHA’s payload: challenge and solution as JSON in base64' }),
});

const PassAnswer = z.object({
  pass: z.string().meta({ description: 'For the header `Dropline-Pass` of `POST /buy/:saleId`' }),
  notBefore: instant.meta({ description: 'When the pass is of use, which is when buyers may buy or join' }),
  expires: instant.meta({ description: 'Renew the pass before that' }),
});

const ChallengeAnswer = z.object({
  challenge: z
    .object({ parameters: z.record(z.string(), z.unknown()), signature: z.string() })
    .meta({ description: 'ALTCHA’s challenge, version 2. `data.tries` in its parameters are the most tries it takes' }),
});

/**
 * The contract of `POST /pass/:saleId`, for /openapi.json. The call is answered by apps/api/listeners/pass.ts before
 * Express.
 */
export const passContract: Contract = {
  method: 'post',
  path: '/pass/:saleId',
  summary: 'Get the pass that a sale needs for buying or joining',
  params: ofSale,
  query: z.object({}),
  body: PassRequest,
  replies: {
    200: {
      description: 'The pass, or the challenge to be solved first. Then repeat the call with the solution',
      body: z.union([PassAnswer, ChallengeAnswer]),
    },
  },
  problems: ['pass_too_early', 'bad_solution', 'unknown_sale', 'no_pass_needed', 'sale_closed', 'too_many_requests'],
  forBuyer: true,
};
