import { describe, expect, test } from '@jest/globals';
import { checkHistory } from '../../chaos/history/check-history.js';
import { claim, evidenceOf, order, WON, type WrittenHistory } from './written-history.js';

// A claim without an order, in a run in which Redis lost data: when that is an excuse, and when it is not.

type Steps = NonNullable<WrittenHistory['steps']>;

const WINS: Steps = [[100, 'buy', 'ann', { ...WON, ...claim('a') }]];
const REJECTED: Steps = [
  [500, 'order-status', 'ann', { http: 200, status: 'rejected', reason: 'lost', ...claim('a') }],
];
const WINS_AGAIN: Steps = [[500, 'buy', 'ann', { ...WON, ...claim('b') }]];
const WAITS: Steps = [[500, 'order-status', 'ann', { http: 200, status: 'standby' }]];
const WAITED: Steps = [[50, 'buy', 'ann', { http: 202, status: 'standby' }]];
const IS_QUEUED: Steps = [[100, 'order-status', 'ann', { http: 200, status: 'queued', ...claim('a') }]];
const PROVEN: Steps = [[100, 'order-status', 'ann', { http: 200, status: 'queued', hasReceipt: true, ...claim('a') }]];
const JOINED: Steps = [[50, 'buy', 'ann', { http: 202, status: 'joined', entry: 1 }]];
const IS_PENDING: Steps = [[200, 'order-status', 'ann', { http: 200, status: 'pending_payment', ...claim('a') }]];
const DRAW = { hasDraw: true, standby: true };
const AT_300 = [{ fromMs: 290, toMs: 310 }];
const paidAgain = [order('b', 'ann', { placedAtMs: 520 })];

/** Tells whether the claim `a` counts as one that never ended. */
const isReported = (history: WrittenHistory): boolean =>
  checkHistory(evidenceOf({ redisLostData: true, redisLosses: AT_300, ...history })).some(
    ({ rule, text }) => rule === 'accepted_reaches_its_end' && text.includes('claim a '),
  );

describe('a claim that Redis lost is no violation', () => {
  test.each<[string, WrittenHistory]>([
    ['if its buyer read that it is rejected', { steps: [...WINS, ...REJECTED] }],
    ['if its buyer got a later claim', { steps: [...WINS, ...WINS_AGAIN], orders: paidAgain }],
    ['if its buyer waits again in a draw', { steps: [...WINS, ...WAITS], sale: DRAW }],
    [
      'if its buyer was promoted, and waits again',
      { steps: [...WAITED, ...IS_QUEUED, ...WAITS], sale: { standby: true } },
    ],
    ['if its buyer has an entry in a draw', { steps: [...JOINED, ...WINS], sale: DRAW }],
    ['if the times of the losses are not known', { steps: [...WINS, ...REJECTED], redisLosses: undefined }],
  ])('%s', (_, history) => expect(isReported(history)).toBe(false));
});

describe('a claim without an order is a violation', () => {
  const before = [{ fromMs: 80, toMs: 99 }];
  const after = [{ fromMs: 511, toMs: 600 }];
  test.each<[string, WrittenHistory]>([
    ['if Redis lost nothing', { steps: [...WINS, ...REJECTED], redisLostData: false }],
    ['if its buyer has nothing else', { steps: WINS }],
    [
      'if its buyer has nothing else, and the times of the losses are not known',
      { steps: WINS, redisLosses: undefined },
    ],
    ['if it was won after the last loss', { steps: [...WINS, ...REJECTED], redisLosses: before }],
    [
      'if it was won after the last loss, by a buyer with an entry',
      { steps: [...JOINED, ...WINS], sale: DRAW, redisLosses: before },
    ],
    ['if its buyer read rejected before the first loss', { steps: [...WINS, ...REJECTED], redisLosses: after }],
    [
      'if its buyer won again before the first loss',
      { steps: [...WINS, ...WINS_AGAIN], orders: paidAgain, redisLosses: after },
    ],
    ['if its buyer waits in a sale without a draw', { steps: [...WINS, ...WAITS], sale: { standby: true } }],
    ['if its buyer was promoted, and never waits again', { steps: [...WAITED, ...IS_QUEUED], sale: { standby: true } }],
    [
      'if its buyer has an entry, and has nothing else for the receipt of the claim',
      { steps: [...JOINED, ...PROVEN], sale: DRAW },
    ],
    ['if its buyer has no entry in a draw', { steps: WINS, sale: DRAW }],
    [
      'if it was placed, and its buyer won again',
      { steps: [...WINS, ...IS_PENDING, ...WINS_AGAIN], orders: paidAgain },
    ],
    ['if it was placed, and its buyer has an entry', { steps: [...JOINED, ...WINS, ...IS_PENDING], sale: DRAW }],
    [
      'if another claim of its buyer is earlier',
      { steps: [...WINS, [500, 'order-status', 'ann', { http: 200, status: 'rejected', ...claim('0', 2) }]] },
    ],
    ['if another buyer has won since', { steps: [...WINS, [500, 'buy', 'bob', { ...WON, ...claim('b') }]] }],
  ])('%s', (_, history) => expect(isReported(history)).toBe(true));
});
