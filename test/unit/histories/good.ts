import {
  ann,
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

/** Histories that keep every promise, each with what is told in it. */
export const GOOD_HISTORIES: [string, WrittenHistory][] = [
  ['nothing happened', {}],
  ['bought and paid', { steps: BOUGHT, orders: [order('a', 'ann')] }],
  ['cancelled', { steps: CANCELLED, orders: [order('a', 'ann', ended(250))] }],
  [
    'cancelled, and the unit bought by somebody else',
    {
      steps: [...CANCELLED, [400, 'buy', 'bob', { ...WON, ...claim('b', 1) }], [500, 'pay', 'bob', DONE]],
      orders: [order('a', 'ann', ended(250)), order('b', 'bob', { unit: 1, placedAtMs: 420 })],
    },
  ],
  [
    'cancelled, and bought again by the same buyer',
    {
      steps: [...CANCELLED, [400, 'buy', 'ann', { ...WON, ...claim('b') }], [500, 'pay', 'ann', DONE]],
      orders: [order('a', 'ann', ended(250)), order('b', 'ann', { placedAtMs: 420 })],
    },
  ],
  [
    'sold out when it was',
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
    'sold out because of a claim whose answer was lost',
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
    'sold out while a unit was on its way back',
    {
      sale: { units: 1 },
      steps: [...CANCELLED, [260, 'buy', 'bob', SOLD_OUT]],
      orders: [order('a', 'ann', ended(250))],
    },
  ],
  [
    'the same claim for every click',
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
    'two looks at one time, in either order',
    {
      steps: [...BOUGHT, [395, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }]],
      orders: [order('a', 'ann')],
    },
  ],
  [
    'Redis lost the claim, and says so',
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
    'Redis lost the claim before it had an order, and its buyer was told',
    {
      redisLostData: true,
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [500, 'order-status', 'ann', { http: 200, status: 'rejected', reason: 'lost', ...claim('a') }],
      ],
    },
  ],
  [
    'money that is on its way in',
    {
      steps: [[100, 'credit', 'ann', UNKNOWN]],
      bank: [bankRead({}), bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0 })],
    },
  ],
  ['paid at the provider', { ...ELSEWHERE, orders: [ann], payments: [payment({})] }],
  [
    'paid at the provider too late, and the unit was free again',
    {
      ...ELSEWHERE,
      steps: [...CANCELLED, [350, 'pay', 'ann', UNKNOWN], [360, 'pay-elsewhere', 'ann', { http: 200 }]],
      orders: [order('a', 'ann', ended(250)), order('b', 'ann', { unit: 1, placedAtMs: 420, regrabbed: true })],
      payments: [payment({})],
    },
  ],
  [
    'sold out because late money had bought the unit again',
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
    'paid at the provider too late, and given back: the provider would not, so into the wallet',
    {
      ...ELSEWHERE,
      steps: [...CANCELLED, [360, 'pay-elsewhere', 'ann', { http: 200 }]],
      orders: [order('a', 'ann', ended(250))],
      payments: [payment({ status: 'refunded', refundedMinor: 100, walletMinor: 100 })],
      bank: [bankRead({ buyersMinor: 100, shopMinor: 0, creditedMinor: 0, providerMinor: 100 })],
    },
  ],
  [
    'paid too late, given back by one worker, while another one had taken the unit again for it',
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
    'refunded by the shop',
    {
      ...ELSEWHERE,
      steps: [...(ELSEWHERE.steps ?? []), [500, 'refund', 'ann', { http: 200, claimId: 'a' }]],
      orders: [order('a', 'ann', { status: 'refunded', reason: 'refunded_by_shop' })],
      payments: [payment({ status: 'refunded', refundedMinor: 100, returnedMinor: 100 })],
    },
  ],
  [
    'paid twice at the provider, and the second payment went back unbooked',
    {
      ...ELSEWHERE,
      orders: [ann],
      payments: [
        payment({}),
        payment({ paymentId: 'q', status: 'refunded', capturedMinor: 0, returnedMinor: 100, surplus: true }),
      ],
    },
  ],
  ['an internal refusal of the whole sale', { steps: [[100, 'buy', 'ann', { http: 410, code: 'sale_closed' }]] }],
];
