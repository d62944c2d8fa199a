import type { Rule } from '../../chaos/history/evidence.js';
import { claim, ended, order, WON, type WrittenHistory } from './written-history.js';

const buys = (buyerId: string, atMs: number, id: string): NonNullable<WrittenHistory['steps']>[number] => [
  atMs,
  'buy',
  buyerId,
  { ...WON, ...claim(id) },
];

const TWICE_UNPAID = [
  order('a', 'ann', { ...ended(200, 'unpaid'), payByMs: 190 }),
  order('b', 'ann', { ...ended(400, 'unpaid'), placedAtMs: 320, payByMs: 390 }),
];

/** A click of another buyer, in a group, that is refused for strikes. */
const refusedIn = (group: string, atMs: number): NonNullable<WrittenHistory['steps']>[number] => [
  atMs,
  'buy',
  'bob',
  { http: 409, code: 'unpaid_limit' },
  { group },
];

/** Histories that break a promise about holding units without paying, each with the broken rule and a summary. */
export const BAD_HOLDING_HISTORIES: [Rule, string, WrittenHistory][] = [
  [
    'no_third_try',
    'a buyer who let two orders expire gets a third one',
    {
      sale: { unpaidLimit: 2 },
      steps: [buys('ann', 100, 'a'), buys('ann', 300, 'b'), buys('ann', 500, 'c')],
      orders: [...TWICE_UNPAID, order('c', 'ann', { placedAtMs: 520 })],
    },
  ],
  [
    'no_unearned_limit',
    'a buyer who let one order expire gets no other',
    {
      sale: { unpaidLimit: 2 },
      steps: [buys('ann', 100, 'a'), [500, 'buy', 'ann', { http: 403, code: 'unpaid_limit' }]],
      orders: TWICE_UNPAID.slice(0, 1),
    },
  ],
  [
    'no_unearned_limit',
    'a buyer who never held a unit has to let others go first',
    { sale: { unpaidLimit: 2 }, steps: [[500, 'buy', 'ann', { http: 409, code: 'others_first' }]] },
  ],
  [
    'no_unearned_limit',
    'a buyer gets no other as another family let orders expire',
    {
      sale: { unpaidLimit: 2, perGroup: 1 },
      steps: [buys('ann', 100, 'a'), buys('ann', 300, 'b'), refusedIn('other', 500)],
      orders: TWICE_UNPAID.map(order => ({ ...order, group: 'family' })),
    },
  ],
  [
    'pass_is_needed',
    'a buyer gets a unit without the pass that the sale needs',
    { sale: { needsPass: true }, steps: [buys('ann', 100, 'a')], orders: [order('a', 'ann')] },
  ],
  [
    'group_is_bounded',
    'two of a family have a unit, and one is allowed',
    {
      sale: { perGroup: 1 },
      steps: [buys('ann', 100, 'a'), buys('bob', 110, 'b')],
      orders: [order('a', 'ann', { group: 'family' }), order('b', 'bob', { group: 'family' })],
    },
  ],
];

/** Histories that keep these promises, each with a summary. */
export const GOOD_HOLDING_HISTORIES: [string, WrittenHistory][] = [
  [
    'a buyer gets no other as the own family let as many orders expire as it may',
    {
      sale: { unpaidLimit: 2, perGroup: 1 },
      steps: [buys('ann', 100, 'a'), buys('ann', 300, 'b'), refusedIn('family', 500)],
      orders: TWICE_UNPAID.map(order => ({ ...order, group: 'family' })),
    },
  ],
  [
    'a buyer who let one order expire gets another',
    {
      sale: { unpaidLimit: 2 },
      steps: [buys('ann', 100, 'a'), buys('ann', 300, 'b')],
      orders: TWICE_UNPAID,
    },
  ],
  [
    'a buyer who let two orders expire, and whose money came late, gets no other',
    {
      sale: { unpaidLimit: 2 },
      steps: [
        buys('ann', 100, 'a'),
        buys('ann', 300, 'b'),
        [500, 'buy', 'ann', { http: 409, code: 'others_first' }],
        [500, 'buy', 'ann', { http: 403, code: 'unpaid_limit' }],
      ],
      orders: [
        ...TWICE_UNPAID.slice(0, 1),
        order('b', 'ann', { ...ended(400, 'refunded_late_payment'), placedAtMs: 320, payByMs: 390 }),
      ],
    },
  ],
  [
    'a buyer without a pass is refused',
    { sale: { needsPass: true }, steps: [[100, 'buy', 'ann', { http: 403, code: 'pass_required' }]] },
  ],
  [
    'late money of a buyer who let two orders expire takes a unit again',
    {
      sale: { unpaidLimit: 2, provider: 'signed-webhook' },
      steps: [
        buys('ann', 100, 'a'),
        buys('ann', 300, 'b'),
        [350, 'pay', 'ann', { http: 202 }],
        [360, 'pay-elsewhere', 'ann', { http: 200 }],
      ],
      orders: [...TWICE_UNPAID, order('c', 'ann', { unit: 1, placedAtMs: 520, regrabbed: true })],
    },
  ],
  [
    'two of a family have a unit, one after the other',
    {
      sale: { perGroup: 1 },
      steps: [
        buys('ann', 100, 'a'),
        [150, 'cancel', 'ann', { http: 202 }],
        buys('bob', 300, 'b'),
        [400, 'pay', 'bob', { http: 202 }],
      ],
      orders: [
        order('a', 'ann', { ...ended(200), group: 'family' }),
        order('b', 'bob', { group: 'family', placedAtMs: 320 }),
      ],
    },
  ],
];
