import type { ProblemKind } from './kind.js';

/** The errors about passes, by their codes. */
export const PASS_PROBLEMS = {
  pass_required: {
    status: 403,
    title: 'This sale needs a pass',
    cause: 'Buying and joining need a pass in this sale, and the request has no header `Dropline-Pass`.',
    cure: 'Get a pass by `POST /pass/:saleId`, and send it in the header `Dropline-Pass`.',
    retry: 'no',
  },
  bad_pass: {
    status: 403,
    title: 'The pass is not of this buyer and this sale',
    cause: 'The pass is malformed or altered, or was given to another buyer or for another sale.',
    cure: 'Get a pass by `POST /pass/:saleId` with the token of the buyer, and send it as it came.',
    retry: 'no',
  },
  pass_expired: {
    status: 403,
    title: 'The pass has expired',
    cause: 'A pass is valid for 10 minutes.',
    cure: 'Get another one by `POST /pass/:saleId`, as often as needed, best before the old one expires.',
    retry: 'no',
  },
  pass_too_early: {
    status: 403,
    title: 'It is too early',
    cause: 'There is no pass earlier than 60 s before buyers may click, or the pass is not valid yet.',
    cure: 'Repeat the request after `Retry-After` seconds.',
    retry: 'after',
  },
  bad_solution: {
    status: 403,
    title: 'This does not solve the challenge',
    cause:
      'The solution is wrong or too late, or its challenge is altered, or was given to another buyer or for another sale.',
    cure: 'Get another challenge by `POST /pass/:saleId` without a body, and solve it within 5 minutes.',
    retry: 'no',
  },
} as const satisfies Record<string, ProblemKind>;
