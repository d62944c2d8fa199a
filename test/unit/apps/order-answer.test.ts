import { expect, test } from '@jest/globals';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { answerOf } from '../../../apps/api/answers/order-answer.js';
import type { RecentSale } from '../../../apps/api/mirror/sales.js';

const CLOSES_AT_MS = 1_900_000_000_000;

/** Read a second before it closes. */
const sale: RecentSale = {
  ...ordinarySale({ id: 'drop', units: 1, opensAtMs: CLOSES_AT_MS - 60_000, closesAtMs: CLOSES_AT_MS }),
  standbyCap: 5,
  runId: 'run',
  remaining: 0,
  claims: 1,
  waiting: 1,
  unplaced: 0,
  nowMs: CLOSES_AT_MS - 1_000,
  readAtMs: 5_000,
};

test('who was in line as the sale closed is told so only if Redis was asked after: before, a unit may still have come', () => {
  expect(answerOf(sale, { position: 1 }, 1, 5_999)).toMatchObject({ status: 'standby', position: 1 });
  expect(answerOf(sale, { position: 1 }, 1, 6_000)).toEqual({ status: 'closed' });
});
