import type { Rule } from '../../chaos/history/evidence.js';
import { BOUGHT, CANCELLED, claim, DONE, ended, order, SOLD_OUT, WON, type WrittenHistory } from './written-history.js';

/** Histories that break a promise about claims, each with the broken rule and a summary. */
export const BAD_CLAIM_HISTORIES: [Rule, string, WrittenHistory][] = [
  [
    'accepted_reaches_its_end',
    'an accepted claim vanishes',
    { steps: [[100, 'buy', 'ann', { ...WON, ...claim('a') }]] },
  ],
  [
    'accepted_reaches_its_end',
    'Redis loses a claim, and the buyer gets no answer about it',
    { redisLostData: true, steps: [[100, 'buy', 'ann', { ...WON, ...claim('a') }]] },
  ],
  [
    'accepted_reaches_its_end',
    'an order stays pending forever',
    { steps: BOUGHT.slice(0, 2), orders: [order('a', 'ann', { status: 'pending_payment' })] },
  ],
  [
    'claim_is_one_thing',
    'the order has another unit than the claim',
    { steps: BOUGHT, orders: [order('a', 'ann', { unit: 2 })] },
  ],
  [
    'claim_is_one_thing',
    'two buyers see the same claim',
    {
      steps: [...BOUGHT, [500, 'order-status', 'bob', { http: 200, status: 'paid', ...claim('a') }]],
      orders: [order('a', 'ann')],
    },
  ],
  [
    'statuses_move_forward',
    'a pending order is queued again',
    {
      steps: [
        ...BOUGHT.slice(0, 2),
        [250, 'order-status', 'ann', { http: 200, status: 'queued', ...claim('a') }],
        ...BOUGHT.slice(2),
      ],
      orders: [order('a', 'ann')],
    },
  ],
  [
    'statuses_move_forward',
    'a cancelled order is payable again',
    {
      steps: [...CANCELLED, [400, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }]],
      orders: [order('a', 'ann', ended(450))],
    },
  ],
  [
    'one_end',
    'a cancelled claim is later rejected',
    {
      steps: [...CANCELLED, [400, 'order-status', 'ann', { http: 200, status: 'rejected', ...claim('a') }]],
      orders: [order('a', 'ann', ended(250))],
    },
  ],
  ['one_end', 'a buyer reads cancelled, but the order is paid', { steps: CANCELLED, orders: [order('a', 'ann')] }],
  [
    'paid_stays_paid',
    'a buyer reads paid, but the order is cancelled',
    { steps: BOUGHT, orders: [order('a', 'ann', ended(5_001, 'unpaid'))] },
  ],
  ['paid_stays_paid', 'a buyer reads paid, but there is no order', { steps: BOUGHT }],
  [
    'one_claim_per_buyer',
    'a buyer wins a second claim while the first is live',
    {
      steps: [...BOUGHT, [500, 'buy', 'ann', { ...WON, ...claim('b') }]],
      orders: [order('a', 'ann'), order('b', 'ann')],
    },
  ],
  [
    'one_claim_per_buyer',
    'two clicks at once win twice',
    {
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [101, 'buy', 'ann', { ...WON, ...claim('b') }],
      ],
      orders: [order('a', 'ann', ended(5_001, 'unpaid')), order('b', 'ann', ended(5_002, 'unpaid'))],
    },
  ],
  [
    'one_claim_per_unit',
    'a unit is given out while another buyer has it',
    {
      steps: [...BOUGHT, [500, 'buy', 'bob', { ...WON, ...claim('b', 1) }]],
      orders: [order('a', 'ann'), order('b', 'bob', { ...ended(600, 'lost', 'void'), unit: 1 })],
      redisLostData: false,
    },
  ],
  [
    'one_claim_per_unit',
    'a unit comes back before its order has ended',
    {
      steps: [...CANCELLED, [210, 'buy', 'bob', { ...WON, ...claim('b', 1) }], [220, 'pay', 'bob', DONE]],
      orders: [order('a', 'ann', ended(250)), order('b', 'bob', { unit: 1, placedAtMs: 225 })],
    },
  ],
  [
    'unit_exists',
    'a claim has a unit beyond the last one',
    { steps: [[100, 'buy', 'ann', { ...WON, ...claim('c') }]], orders: [order('c', 'ann', ended(5_001, 'unpaid'))] },
  ],
  [
    'bounded_counter',
    'there are more claims than units',
    {
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [100, 'buy', 'bob', { ...WON, ...claim('b') }],
        [100, 'buy', 'cid', { ...WON, ...claim('c', 1) }],
      ],
      orders: ['ann', 'bob', 'cid'].map((buyer, i) =>
        order('abc'.charAt(i), buyer, { ...ended(5_001, 'unpaid'), unit: (i % 2) + 1 }),
      ),
    },
  ],
  [
    'no_false_sold_out',
    'the sale is sold out before the first buyer comes',
    { steps: [[50, 'buy', 'cid', SOLD_OUT], ...BOUGHT], orders: [order('a', 'ann')] },
  ],
  [
    'no_false_sold_out',
    'the sale is sold out long after a unit came back',
    {
      sale: { units: 1 },
      steps: [...CANCELLED, [20_000, 'buy', 'bob', SOLD_OUT]],
      orders: [order('a', 'ann', ended(250))],
    },
  ],
  [
    'no_order_without_a_buyer',
    'an order belongs to a buyer who never clicked',
    { orders: [order('a', 'eve', ended(5_001, 'unpaid'))] },
  ],
  [
    'no_order_without_a_buyer',
    'an order belongs to a buyer whose every click was refused',
    {
      steps: [
        [100, 'buy', 'ann', { ...WON, ...claim('a') }],
        [100, 'buy', 'bob', { ...WON, ...claim('b') }],
        [300, 'buy', 'cid', SOLD_OUT],
      ],
      orders: [
        order('a', 'ann', ended(5_001, 'unpaid')),
        order('b', 'bob', ended(5_001, 'unpaid')),
        order('c', 'cid', { ...ended(5_001, 'unpaid'), unit: 1, placedAtMs: 30_000 }),
      ],
    },
  ],
  [
    'refused_leaves_no_trace',
    'a refused buyer is on standby',
    {
      sale: { standby: true },
      steps: [
        [100, 'buy', 'cid', SOLD_OUT],
        [200, 'order-status', 'cid', { http: 200, status: 'standby' }],
      ],
    },
  ],
  [
    'no_untrue_refusal',
    'a buyer who holds a unit gets sold_out',
    { sale: { units: 1 }, steps: [...BOUGHT, [500, 'buy', 'ann', SOLD_OUT]], orders: [order('a', 'ann')] },
  ],
  [
    'no_untrue_refusal',
    'a buyer who holds a unit reads none',
    { steps: [...BOUGHT, [500, 'order-status', 'ann', { http: 200, status: 'none' }]], orders: [order('a', 'ann')] },
  ],
  [
    'no_surprise',
    'a call fails with an internal error',
    { steps: [[100, 'buy', 'ann', { http: 500, code: 'internal' }]] },
  ],
  [
    'no_surprise',
    'the API does not know the sale',
    { steps: [[100, 'buy', 'ann', { http: 404, code: 'unknown_sale' }]] },
  ],
  [
    'inside_the_window',
    'a buyer wins before the sale opens',
    { sale: { opensAtMs: 200 }, steps: BOUGHT, orders: [order('a', 'ann')] },
  ],
  [
    'inside_the_window',
    'a buyer wins after the sale has closed',
    { sale: { closesAtMs: 90 }, steps: BOUGHT, orders: [order('a', 'ann')] },
  ],
  [
    'nothing_lost',
    'a claim is given up although Redis lost nothing',
    {
      steps: [[100, 'buy', 'ann', { ...WON, ...claim('a') }]],
      orders: [order('a', 'ann', ended(300, 'lost', 'void'))],
    },
  ],
  [
    'ended_by_its_buyer',
    'an order is cancelled although its buyer never asked',
    { steps: BOUGHT.slice(0, 1), orders: [order('a', 'ann', ended(300))] },
  ],
  [
    'no_early_expiry',
    'an order expires before its deadline',
    { steps: BOUGHT.slice(0, 1), orders: [order('a', 'ann', ended(300, 'unpaid'))] },
  ],
  [
    'paid_by_its_buyer',
    'an order is paid although its buyer never asked',
    { steps: BOUGHT.slice(0, 1), orders: [order('a', 'ann')] },
  ],
];
