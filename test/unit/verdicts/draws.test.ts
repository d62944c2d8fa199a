import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { checkDraws } from '../../chaos/history/checks/draws.js';
import { type DrawFacts, type DrawRead, lotsOf, publishedIdOf, rootOfList } from '../../chaos/history/draw-facts.js';
import type { Evidence } from '../../chaos/history/evidence.js';
import type { Operation } from '../../chaos/history/history.js';

// The verdict about draws of `npm run chaos`: it is shown a good run, and each way in which a draw may go wrong.

const SALE = { saleId: 'draw' };
const SEED = '11'.repeat(32);
const names = ['ann', 'ben', 'cem', 'dan', 'eve'];

/** A draw whose first buyer has won, while the others wait. */
function goodRun(): { evidence: Evidence; draw: DrawFacts; order: string[] } {
  const keys = { seed: SEED, saltKey: '22'.repeat(32), value: '1 2 3' };
  const list = Buffer.concat(
    names.map((buyerId, i) => {
      const number = Buffer.alloc(8);
      number.writeBigUInt64BE(BigInt(i + 1));
      return Buffer.concat([number, publishedIdOf(keys, buyerId)]);
    }),
  );
  const decided = { ...keys, root: rootOfList(list) };
  const lotOf = lotsOf(decided);
  const order = [...names].sort((a, b) => lotOf(a) - lotOf(b));
  const draw: DrawFacts = {
    ...SALE,
    ...decided,
    isDealt: true,
    entries: names.map((buyerId, i) => ({ buyerId, number: i + 1, isIn: true, isWaiting: true })),
    standby: order.slice(1).map(buyerId => [buyerId, lotOf(buyerId)]),
    claimants: order.slice(0, 1),
    list,
  };
  const operations = names.map(
    (buyerId, i): Operation => ({
      op: i,
      call: 'buy',
      ...SALE,
      buyerId,
      outcome: 'ok',
      entry: i + 1,
      invokedAtMs: i,
      endedAtMs: i + 1,
    }),
  );
  const won = { claimId: '1', ...SALE, buyerId: order[0] as string, unit: 1, status: 'paid', reason: null };
  const orders = [{ ...won, placedAtMs: 1, payByMs: 2, endedAtMs: null, regrabbed: false }];
  const commitment = createHash('sha256').update(Buffer.from(SEED, 'hex')).digest('hex');
  const read: DrawRead = {
    type: 'draw',
    atMs: 1,
    ...SALE,
    published: { commitment, entries: 5, root: decided.root, seed: SEED, value: decided.value },
    isOrdered: true,
    standby: draw.standby,
  };
  const evidence: Evidence = {
    sales: [],
    operations,
    orders,
    bank: [],
    payments: [],
    draws: [draw],
    drawReads: [read],
    redisLostData: true,
    releaseWithinMs: 1,
  };
  return { evidence, draw, order };
}

/** Returns the rules that a run breaks, once its draw is another one. */
function brokenBy(
  change: (draw: DrawFacts, order: string[]) => Partial<DrawFacts>,
  more: Partial<Evidence> = {},
): string[] {
  const { evidence, draw, order } = goodRun();
  const draws = [{ ...draw, ...change(draw, order) }];
  return [...new Set(checkDraws({ ...evidence, draws, ...more }).map(({ rule }) => rule))];
}

test('a draw in order has no violation', () => {
  expect(checkDraws(goodRun().evidence)).toEqual([]);
});

describe('a run of chaos is broken by', () => {
  test.each<[string, (draw: DrawFacts, order: string[]) => Partial<DrawFacts>, string]>([
    ['a draw without an end', () => ({ isDealt: false }), 'one_order'],
    ['a buyer with a receipt and nothing else', ({ standby }) => ({ standby: standby.slice(0, -1) }), 'entry_is_kept'],
    [
      'a buyer with a receipt behind the entries',
      ({ standby }, order) => ({ standby: [...standby.slice(0, -1), [order.at(-1) as string, 2 ** 52 + 1]] }),
      'entry_is_kept',
    ],
    [
      'a ticket that is no lot',
      ({ standby }, order) => ({ standby: [[order[1] as string, 7], ...standby.slice(1)] }),
      'lots_decide',
    ],
    ['a stranger among the lots', ({ standby }) => ({ standby: [['zoe', 7], ...standby] }), 'late_stand_behind'],
    ['a list of another root', ({ list }) => ({ list: list.subarray(40) }), 'one_order'],
    [
      'a list with another entry instead of one',
      draw => ({ entries: [...draw.entries.slice(1), { buyerId: 'zoe', number: 1, isIn: true, isWaiting: false }] }),
      'one_order',
    ],
    [
      'a list that lacks an entry',
      ({ entries }) => ({ entries: [...entries, { buyerId: 'zoe', number: 6, isIn: true, isWaiting: false }] }),
      'one_order',
    ],
    ['a value after the one that was told', () => ({ value: '4 5 6' }), 'one_order'],
  ])('%s', (_, change, rule) => {
    expect(brokenBy(change)).toContain(rule);
  });

  test('a winner whose lot was later than that of a buyer who waits', () => {
    const { evidence, order } = goodRun();
    const orders = evidence.orders.map(one => ({ ...one, buyerId: order.at(-1) as string }));
    expect(brokenBy(() => ({}), { orders })).toContain('lots_decide');
  });

  test('a winner who came after the opening, while an entry waits', () => {
    const orders = goodRun().evidence.orders.map(one => ({ ...one, buyerId: 'late' }));
    expect(brokenBy(() => ({}), { orders })).toContain('late_stand_behind');
  });
});

test('a buyer who left may be gone', () => {
  const { evidence, order } = goodRun();
  const buyerId = order.at(-1) as string;
  const left: Operation = { op: 9, call: 'cancel', ...SALE, buyerId, outcome: 'ok', invokedAtMs: 9, endedAtMs: 9 };
  const operations = [...evidence.operations, left];
  expect(brokenBy(({ standby }) => ({ standby: standby.slice(0, -1) }), { operations })).toEqual([]);
});
