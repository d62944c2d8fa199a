import { describe, expect, test } from '@jest/globals';
import type { PaymentFacts } from '../chaos/books.js';
import { checkHistory } from '../chaos/check-history.js';
import type { OrderFacts, SaleFacts } from '../chaos/claim-view.js';
import type { Evidence, Rule } from '../chaos/evidence.js';
import {
  type BankRead,
  type HistoryLine,
  operationsOf,
  outcomeOf,
  type Reply,
  type Request,
} from '../chaos/history.js';

const SALE: SaleFacts = {
  id: 'drop',
  units: 2,
  opensAtMs: 0,
  closesAtMs: 1_000_000,
  standby: false,
  settlement: 'deferred',
  provider: 'wallet',
};

const WON = { http: 202, status: 'queued' };
const SOLD_OUT = { http: 409, code: 'sold_out' };
const DONE = { http: 202 };
const UNKNOWN = { http: 503, code: 'unavailable' };

/** A call of ann's, or of another buyer's, at a time, in ms; it takes 10 ms. */
type Step = [atMs: number, call: Request['call'], buyerId: string, reply: Reply];

/** A claim that a reply names: `a` is of unit 1 and so on. */
const claim = (name: string, unit = name.charCodeAt(0) - 96) => ({ claimId: name, unit });

/** Calls about an amount. */
const MONEY = new Set<Request['call']>(['credit', 'pay-elsewhere', 'refund']);

function linesOf(steps: readonly Step[], saleId: string): HistoryLine[] {
  return steps.flatMap(([atMs, call, buyerId, reply], i): HistoryLine[] => [
    { type: 'invoke', op: i, atMs, call, saleId, buyerId, ...(MONEY.has(call) ? { amountMinor: 100 } : {}) },
    { type: outcomeOf(reply.http), op: i, atMs: atMs + 10, ...reply },
  ]);
}

function order(claimId: string, buyerId: string, facts: Partial<OrderFacts> = {}): OrderFacts {
  const { unit } = claim(claimId);
  return {
    claimId,
    saleId: SALE.id,
    buyerId,
    unit,
    status: 'paid',
    reason: null,
    placedAtMs: 120,
    payByMs: 5_000,
    endedAtMs: null,
    regrabbed: false,
    ...facts,
  };
}

const ended = (endedAtMs: number, reason = 'cancelled_by_buyer', status = 'cancelled'): Partial<OrderFacts> => ({
  status,
  reason,
  endedAtMs,
});

const bankRead = (facts: Partial<BankRead>): BankRead => ({
  type: 'bank',
  atMs: 900,
  readAtMs: 901,
  buyersMinor: 60,
  shopMinor: 40,
  creditedMinor: 100,
  providerMinor: 0,
  lowestMinor: 0,
  ...facts,
});

/** Paid at the provider, and booked; the order's name is the payment's. */
const payment = (facts: Partial<PaymentFacts>): PaymentFacts => ({
  paymentId: 'p',
  orderId: 'a',
  attempt: 1,
  takenMinor: 100,
  returnedMinor: 0,
  status: 'paid',
  capturedMinor: 100,
  refundedMinor: 0,
  walletMinor: 0,
  surplus: false,
  ...facts,
});

interface Case {
  steps?: Step[];
  orders?: OrderFacts[];
  bank?: BankRead[];
  payments?: PaymentFacts[];
  sale?: Partial<SaleFacts>;
  redisLostData?: boolean;
}

function evidenceOf(history: Case): Evidence {
  const { steps = [], orders = [], bank = [], payments = [], sale = {}, redisLostData = false } = history;
  return {
    sales: [{ ...SALE, ...sale }],
    operations: operationsOf(linesOf(steps, SALE.id)),
    orders,
    bank,
    payments,
    redisLostData,
    releaseWithinMs: 15_000,
  };
}

const brokenRules = (history: Case): Rule[] => [...new Set(checkHistory(evidenceOf(history)).map(({ rule }) => rule))];

const BOUGHT: Step[] = [
  [100, 'buy', 'ann', { ...WON, ...claim('a') }],
  [200, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }],
  [300, 'pay', 'ann', DONE],
  [400, 'order-status', 'ann', { http: 200, status: 'paid', ...claim('a') }],
];
const CANCELLED: Step[] = [
  [100, 'buy', 'ann', { ...WON, ...claim('a') }],
  [200, 'cancel', 'ann', DONE],
  [300, 'order-status', 'ann', { http: 200, status: 'cancelled', reason: 'cancelled_by_buyer', ...claim('a') }],
];

/** Bought in a sale that is paid at a provider. */
const ELSEWHERE: Case = {
  sale: { provider: 'signed-webhook' },
  steps: [...BOUGHT.slice(0, 3), [350, 'pay-elsewhere', 'ann', { http: 200 }], ...BOUGHT.slice(3)],
};
const ann = order('a', 'ann');

describe('good histories', () => {
  const good: [string, Case][] = [
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

  test.each(good)('%s', (_, history) => expect(checkHistory(evidenceOf(history))).toEqual([]));
});

describe('bad histories', () => {
  const live = (claimId: string, buyerId: string) => order(claimId, buyerId);
  const bad: [Rule, string, Case][] = [
    [
      'accepted_reaches_its_end',
      'an accepted claim vanishes',
      { steps: [[100, 'buy', 'ann', { ...WON, ...claim('a') }]] },
    ],
    [
      'accepted_reaches_its_end',
      'Redis lost the claim, and nobody was told',
      { redisLostData: true, steps: [[100, 'buy', 'ann', { ...WON, ...claim('a') }]] },
    ],
    [
      'accepted_reaches_its_end',
      'an order hangs for ever',
      { steps: BOUGHT.slice(0, 2), orders: [order('a', 'ann', { status: 'pending_payment' })] },
    ],
    [
      'claim_is_one_thing',
      'the order is of another unit than the claim',
      { steps: BOUGHT, orders: [order('a', 'ann', { unit: 2 })] },
    ],
    [
      'claim_is_one_thing',
      'two buyers are shown one claim',
      {
        steps: [...BOUGHT, [500, 'order-status', 'bob', { http: 200, status: 'paid', ...claim('a') }]],
        orders: [live('a', 'ann')],
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
        orders: [live('a', 'ann')],
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
      'told cancelled, and later rejected',
      {
        steps: [...CANCELLED, [400, 'order-status', 'ann', { http: 200, status: 'rejected', ...claim('a') }]],
        orders: [order('a', 'ann', ended(250))],
      },
    ],
    ['one_end', 'told cancelled, and the order is paid', { steps: CANCELLED, orders: [live('a', 'ann')] }],
    [
      'paid_stays_paid',
      'told paid, and the order is cancelled',
      { steps: BOUGHT, orders: [order('a', 'ann', ended(5_001, 'unpaid'))] },
    ],
    ['paid_stays_paid', 'told paid, and the order is gone', { steps: BOUGHT }],
    [
      'one_claim_per_buyer',
      'a second claim while the first is live',
      {
        steps: [...BOUGHT, [500, 'buy', 'ann', { ...WON, ...claim('b') }]],
        orders: [live('a', 'ann'), live('b', 'ann')],
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
      'a unit is given out while somebody has it',
      {
        steps: [...BOUGHT, [500, 'buy', 'bob', { ...WON, ...claim('b', 1) }]],
        orders: [live('a', 'ann'), order('b', 'bob', { ...ended(600, 'lost', 'void'), unit: 1 })],
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
      'a unit beyond the last one',
      { steps: [[100, 'buy', 'ann', { ...WON, ...claim('c') }]], orders: [order('c', 'ann', ended(5_001, 'unpaid'))] },
    ],
    [
      'bounded_counter',
      'more claims than units',
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
      'sold out before anybody came',
      { steps: [[50, 'buy', 'cid', SOLD_OUT], ...BOUGHT], orders: [live('a', 'ann')] },
    ],
    [
      'no_false_sold_out',
      'sold out long after a unit came back',
      {
        sale: { units: 1 },
        steps: [...CANCELLED, [20_000, 'buy', 'bob', SOLD_OUT]],
        orders: [order('a', 'ann', ended(250))],
      },
    ],
    [
      'no_order_without_a_buyer',
      'an order of somebody who never asked',
      { orders: [order('a', 'eve', ended(5_001, 'unpaid'))] },
    ],
    [
      'no_order_without_a_buyer',
      'an order of somebody who was only refused',
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
      'a refused buyer is in line',
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
      'told sold out while holding a unit',
      { sale: { units: 1 }, steps: [...BOUGHT, [500, 'buy', 'ann', SOLD_OUT]], orders: [live('a', 'ann')] },
    ],
    [
      'no_untrue_refusal',
      'told to have nothing while holding a unit',
      { steps: [...BOUGHT, [500, 'order-status', 'ann', { http: 200, status: 'none' }]], orders: [live('a', 'ann')] },
    ],
    ['no_surprise', 'an internal error', { steps: [[100, 'buy', 'ann', { http: 500, code: 'internal' }]] }],
    ['no_surprise', 'the sale is unknown', { steps: [[100, 'buy', 'ann', { http: 404, code: 'unknown_sale' }]] }],
    [
      'inside_the_window',
      'won before it opened',
      { sale: { opensAtMs: 200 }, steps: BOUGHT, orders: [live('a', 'ann')] },
    ],
    [
      'inside_the_window',
      'won after it closed',
      { sale: { closesAtMs: 90 }, steps: BOUGHT, orders: [live('a', 'ann')] },
    ],
    [
      'nothing_lost',
      'a claim is given up though Redis lost nothing',
      {
        steps: [[100, 'buy', 'ann', { ...WON, ...claim('a') }]],
        orders: [order('a', 'ann', ended(300, 'lost', 'void'))],
      },
    ],
    [
      'ended_by_its_buyer',
      'cancelled though the buyer never asked for it',
      { steps: BOUGHT.slice(0, 1), orders: [order('a', 'ann', ended(300))] },
    ],
    [
      'no_early_expiry',
      'expired before its deadline',
      { steps: BOUGHT.slice(0, 1), orders: [order('a', 'ann', ended(300, 'unpaid'))] },
    ],
    [
      'paid_by_its_buyer',
      'paid though the buyer never asked for it',
      { steps: BOUGHT.slice(0, 1), orders: [live('a', 'ann')] },
    ],
    ['bank', 'money is made', { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ shopMinor: 41 })] }],
    ['bank', 'money is lost', { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ buyersMinor: 59 })] }],
    ['bank', 'a wallet is overdrawn', { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ lowestMinor: -1 })] }],
    [
      'bank_is_what_was_put_in',
      'a confirmed credit is gone',
      { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0 })] },
    ],
    [
      'bank_is_what_was_put_in',
      'a credit counts twice',
      { steps: [[100, 'credit', 'ann', DONE]], bank: [bankRead({ buyersMinor: 160, creditedMinor: 200 })] },
    ],
    ['bank', 'money from a provider is booked and nobody has it', { bank: [bankRead({ providerMinor: 5 })] }],
    [
      'bank_is_what_was_put_in',
      'money came from a provider where nobody had paid',
      { bank: [bankRead({ buyersMinor: 0, creditedMinor: 0, shopMinor: 100, providerMinor: 100 })] },
    ],
    [
      'paid_by_its_buyer',
      'paid though nobody paid at the provider',
      { ...ELSEWHERE, steps: BOUGHT, orders: [ann], payments: [payment({ takenMinor: 0 })] },
    ],
    [
      'books_agree',
      'the provider took the money, and it is booked nowhere',
      { ...ELSEWHERE, payments: [payment({ status: 'open', capturedMinor: 0 })] },
    ],
    ['books_agree', 'money is booked that the provider never took', { payments: [payment({ takenMinor: 0 })] }],
    ['books_agree', 'the provider took it twice', { payments: [payment({ takenMinor: 200 })] }],
    [
      'books_agree',
      'given back in our books, and kept by the provider',
      { payments: [payment({ status: 'refunded', refundedMinor: 100 })] },
    ],
    [
      'books_agree',
      'given back by the provider and once more into the wallet',
      { payments: [payment({ status: 'refunded', refundedMinor: 100, walletMinor: 100, returnedMinor: 100 })] },
    ],
    [
      'books_agree',
      'money that came twice is kept',
      { payments: [payment({}), payment({ paymentId: 'q', capturedMinor: 0, surplus: true })] },
    ],
    [
      'books_agree',
      'the account of the provider is not what it kept',
      {
        steps: [[100, 'pay-elsewhere', 'ann', { http: 200 }]],
        payments: [payment({})],
        bank: [bankRead({ buyersMinor: 0, shopMinor: 0, creditedMinor: 0, providerMinor: 0 })],
      },
    ],
    [
      'refunded_by_the_shop',
      'refunded, and nobody of the shop did it',
      { ...ELSEWHERE, orders: [order('a', 'ann', { status: 'refunded', reason: 'refunded_by_shop' })] },
    ],
    [
      'refunded_by_the_shop',
      'the shop was told that it is refunded, and it is still paid',
      {
        ...ELSEWHERE,
        steps: [...(ELSEWHERE.steps ?? []), [500, 'refund', 'ann', { http: 200, claimId: 'a' }]],
        orders: [ann],
      },
    ],
  ];

  test.each(bad)('%s: %s', (rule, _, history) => expect(brokenRules(history)).toContain(rule));

  test('every rule is broken by one of them', () => {
    expect(new Set(bad.map(([rule]) => rule)).size).toBe(23);
  });
});
