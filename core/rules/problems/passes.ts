/** The errors about passes, by their codes. A buyer needs a pass to buy or join, if the sale says so. */
export const PASS_PROBLEMS = {
  pass_required: {
    status: 403,
    title: 'A pass is needed',
    cause: 'The sale needs a pass, and the click has no header `Dropline-Pass`.',
    cure: 'Get a pass with `POST /pass/:saleId`, and send it in the header `Dropline-Pass` (docs/passes.md).',
    retry: 'later',
  },
  bad_pass: {
    status: 403,
    title: 'The pass is not of this buyer and this sale',
    cause: 'The pass is malformed, altered, of another buyer or sale, or was signed with another secret.',
    cure: 'Get a new pass with `POST /pass/:saleId`, with the token of the buyer who clicks.',
    retry: 'later',
  },
  pass_expired: {
    status: 403,
    title: 'The pass is too old',
    cause: 'The time in `expires` is over.',
    cure: 'Get a new pass with `POST /pass/:saleId`. Renew it before `expires`.',
    retry: 'later',
  },
  pass_early: {
    status: 403,
    title: 'The pass is not of use yet',
    cause: 'The time in `notBefore` has not come: buyers may not buy or join yet.',
    cure: 'Repeat the click with the same pass after `Retry-After` seconds.',
    retry: 'after',
  },
  pass_too_early: {
    status: 403,
    title: 'There are no passes yet',
    cause: 'Buyers get passes from two minutes before they may buy or join.',
    cure: 'Repeat the request after `Retry-After` seconds, at a random moment: a whole crowd waits for this one.',
    retry: 'after',
  },
  bad_solution: {
    status: 403,
    title: 'The solution is not right',
    cause: 'The solution is malformed, wrong, too late, too cheap, or of a challenge for another buyer or sale.',
    cure: 'Ask `POST /pass/:saleId` without a body for a new challenge, and solve it within 5 minutes.',
    retry: 'later',
  },
  no_pass_needed: {
    status: 404,
    title: 'This sale needs no pass',
    cause: 'The sale was created without passes.',
    cure: 'Buy without one. `needsPass` in `/sales/:saleId` says which sales need a pass.',
    retry: 'no',
  },
} as const;
