import {
  ANNS_ORDER,
  BOUGHT,
  bankRead,
  CANCELLED,
  claim,
  DONE,
  ELSEWHERE,
  ended,
  order,
  payment,
  SOLD_OUT,
  UNKNOWN,
  WON,
  type WrittenHistory,
} from './written-history.js';

/** Histories that keep every promise, each with a summary. */
export const GOOD_HISTORIES: [string, WrittenHistory][] = [
  ['nothing happens', {}],
  ['a buyer wins and pays', { steps: BOUGHT, orders: [order('a', 'ann')] }],
  ['a buyer cancels', { steps: CANCELLED, orders: [order('a', 'ann', ended(250))] }],
  [
    'a buyer cancels, and another buyer buys the unit',
    {
      steps: [...CANCELLED, [400, 'buy', 'bob', { ...WON, ...claim('b', 1) }], [500, 'pay', 'bob', DONE]],
      orders: [order('a', 'ann', ended(250)), order('b', 'bob', { unit: 1, placedAtMs: 420 })],
    },
  ],
  [
    'a buyer cancels and buys again',
    {
      steps: [...CANCELLED, [400, 'buy', 'ann', { ...WON, ...claim('b') }], [500, 'pay', 'ann', DONE]],
      orders: [order('a', 'ann', ended(250)), order('b', 'ann', { placedAtMs: 420 })],
    },
  ],
  [
    'a buyer is refused while the sale is sold out',
    {
      steps: [
        ...BOUGHT,
        [150, 'buy', 'bob', { ...WON, ...claim('b') }],
        [160, 'pay', 'bob', DONE],
        [500, 'buy', 'cid', SOLD_OUT],
        [600, 'order-status', 'cid', { http: 200, status: 'none' }],
      ],
      orders: [order('a', 'ann'), order('b', 'bob')],
    },
  ],
  [
    'a claim whose answer was lost makes the sale sold out',
    {
      sale: { units: 1 },
      steps: [
        [100, 'buy', 'ann', UNKNOWN],
        [105, 'buy', 'bob', SOLD_OUT],
      ],
      orders: [order('a', 'ann', ended(5_001, 'unpaid'))],
    },
  ],
  [
    'a buyer is refused while a unit is on its way back',
    {
      sale: { units: 1 },
      steps: [...CANCELLED, [260, 'buy', 'bob', SOLD_OUT]],
      orders: [order('a', 'ann', ended(250))],
    },
  ],
  [
    'every click gets the same claim',
    {
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [101, 'buy', 'ann', { http: 200, status: 'queued', ...claim('a') }],
        [500, 'buy', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }],
      ],
      orders: [order('a', 'ann', ended(5_001, 'unpaid'))],
    },
  ],
  [
    'two reads at the same time return in either order',
    {
      steps: [...BOUGHT, [395, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }]],
      orders: [order('a', 'ann')],
    },
  ],
  [
    'Redis loses a claim, and the buyer reads lost',
    {
      redisLostData: true,
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [300, 'buy', 'bob', { ...WON, ...claim('b', 1) }],
        [310, 'pay', 'bob', DONE],
        [500, 'order-status', 'ann', { http: 200, status: 'rejected', reason: 'lost', ...claim('a') }],
      ],
      orders: [
        order('b', 'bob', { unit: 1, placedAtMs: 320 }),
        order('a', 'ann', { ...ended(480, 'lost', 'void'), placedAtMs: 480 }),
      ],
    },
  ],
  [
    'Redis loses a claim without an order, and the buyer reads lost',
    {
      redisLostData: true,
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [500, 'order-status', 'ann', { http: 200, status: 'rejected', reason: 'lost', ...claim('a') }],
      ],
    },
  ],
  [
    'a credit is still in flight',
    {
      steps: [[100, 'credit', 'ann', UNKNOWN]],
      bank: [bankRead({}), bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0 })],
    },
  ],
  ['a buyer pays at the provider', { ...ELSEWHERE, orders: [ANNS_ORDER], payments: [payment({})] }],
  [
    'late money buys a free unit again',
    {
      ...ELSEWHERE,
      steps: [...CANCELLED, [350, 'pay', 'ann', UNKNOWN], [360, 'pay-elsewhere', 'ann', { http: 200 }]],
      orders: [order('a', 'ann', ended(250)), order('b', 'ann', { unit: 1, placedAtMs: 420, regrabbed: true })],
      payments: [payment({})],
    },
  ],
  [
    'late money that bought the unit again makes the sale sold out',
    {
      sale: { units: 1, provider: 'signed-webhook' },
      steps: [
        ...CANCELLED,
        [350, 'pay', 'ann', UNKNOWN],
        [360, 'pay-elsewhere', 'ann', { http: 200 }],
        [20_000, 'buy', 'bob', SOLD_OUT],
      ],
      orders: [order('a', 'ann', ended(250)), order('b', 'ann', { unit: 1, placedAtMs: 420, regrabbed: true })],
    },
  ],
  [
    'late money goes into the wallet when the provider refuses to refund',
    {
      ...ELSEWHERE,
      steps: [...CANCELLED, [360, 'pay-elsewhere', 'ann', { http: 200 }]],
      orders: [order('a', 'ann', ended(250))],
      payments: [payment({ status: 'refunded', refundedMinor: 100, walletMinor: 100 })],
      bank: [bankRead({ buyersMinor: 100, shopMinor: 0, creditedMinor: 0, providerMinor: 100 })],
    },
  ],
  [
    'one worker returns late money while another worker takes the unit again for it',
    {
      ...ELSEWHERE,
      steps: [...CANCELLED, [360, 'pay-elsewhere', 'ann', { http: 200 }]],
      orders: [
        order('a', 'ann', ended(250, 'refunded_late_payment')),
        order('b', 'ann', { ...ended(430, 'lost', 'void'), unit: 1, placedAtMs: 420, regrabbed: true }),
      ],
      payments: [payment({ status: 'refunded', refundedMinor: 100, returnedMinor: 100 })],
      bank: [bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0, providerMinor: 0 })],
    },
  ],
  [
    'the shop refunds an order',
    {
      ...ELSEWHERE,
      steps: [...(ELSEWHERE.steps ?? []), [500, 'refund', 'ann', { http: 200, claimId: 'a' }]],
      orders: [order('a', 'ann', { status: 'refunded', reason: 'refunded_by_shop' })],
      payments: [payment({ status: 'refunded', refundedMinor: 100, returnedMinor: 100 })],
    },
  ],
  [
    'a second payment at the provider goes back without being booked',
    {
      ...ELSEWHERE,
      orders: [ANNS_ORDER],
      payments: [
        payment({}),
        payment({ paymentId: 'q', status: 'refunded', capturedMinor: 0, returnedMinor: 100, surplus: true }),
      ],
    },
  ],
  ['a closed sale refuses a buyer', { steps: [[100, 'buy', 'ann', { http: 410, code: 'sale_closed' }]] }],
];
