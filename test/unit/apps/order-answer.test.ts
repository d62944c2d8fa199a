import { expect, test } from '@jest/globals';
import { ordinarySale } from '#stack/crowd/open-sale.js';
import { answerOf } from '../../../apps/api/answers/order-answer.js';
import type { RecentSale } from '../../../apps/api/mirror/sales.js';

const CLOSES_AT_MS = 1_900_000_000_000;

/** A sale that was read a second before its close. */
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

test('a buyer on standby gets `closed` only from a read made after the close', () => {
  const answer = (askedAtMs: number) => answerOf(sale, { position: 1 }, { askedAtMs, slowdown: 1 });
  expect(answer(5_999)).toMatchObject({ status: 'standby', position: 1 });
  expect(answer(6_000)).toEqual({ status: 'closed' });
});
