/** The refusals of buyers who hold units without paying (docs/holding.md). */
export const HOLDING_PROBLEMS = {
  unpaid_limit: {
    status: 409,
    title: 'You have let a unit go too often',
    cause: 'The buyer held units of this sale and did not pay for them, as often as the sale allows.',
    cure: 'Tell the buyer. It holds until the sale ends; a unit that the buyer holds now is not affected.',
    retry: 'no',
  },
  others_first: {
    status: 409,
    title: 'A unit is free, for others first',
    cause:
      'The buyer held a unit of this sale and did not pay for it. A free unit is for everybody else for some seconds.',
    cure: 'Repeat the request after `Retry-After` seconds.',
    retry: 'after',
  },
} as const;
