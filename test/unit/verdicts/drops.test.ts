import { expect, test } from '@jest/globals';
import { type DropVerdict, exitCodeOfDrops, totalOf } from '#stack/crowd/drops.js';
import { holds } from '#stack/crowd/reckoning.js';

const GOOD: DropVerdict = {
  saleId: 'drop-1',
  node: '127.0.0.1:7001',
  reckoning: {
    units: 3,
    buyers: 9,
    claimed: 4,
    soldOut: 5,
    placed: 3,
    paid: 3,
    cancelled: 1,
    duplicates: 0,
    oversold: 0,
    lost: 0,
    auditOk: true,
  },
  wrong: [],
};

const BAD: [string, DropVerdict][] = [
  ['a buyer with two orders', { ...GOOD, reckoning: { ...GOOD.reckoning, duplicates: 1 } }],
  ['an oversold unit', { ...GOOD, reckoning: { ...GOOD.reckoning, oversold: 1 } }],
  ['a lost claim', { ...GOOD, reckoning: { ...GOOD.reckoning, lost: 1 } }],
  ['an audit that failed', { ...GOOD, reckoning: { ...GOOD.reckoning, auditOk: false } }],
  ['a wrong line', { ...GOOD, wrong: ['a unit is missing'] }],
];

test('several good drops hold together, and their counts add up', () => {
  const total = totalOf([GOOD, GOOD]);
  const twice = { units: 6, buyers: 18, claimed: 8, soldOut: 10, placed: 6, paid: 6, cancelled: 2 };
  expect(total.reckoning).toEqual({ ...twice, duplicates: 0, oversold: 0, lost: 0, auditOk: true });
  expect(holds(total)).toBe(true);
  expect(exitCodeOfDrops([GOOD, GOOD])).toBe(0);
});

test.each(BAD)('one drop of several with %s ends the program with 1, and the total says so', (_, bad) => {
  const drops = [GOOD, { ...bad, saleId: 'drop-2' }, GOOD];
  expect(exitCodeOfDrops(drops)).toBe(1);
  expect(holds(totalOf(drops))).toBe(false);
});

test('a line about a violation names the drop', () => {
  expect(totalOf([GOOD, { ...GOOD, saleId: 'drop-2', wrong: ['a unit is missing'] }]).wrong).toEqual([
    'drop-2: a unit is missing',
  ]);
});

test('a program that sold no drop has proved nothing', () => {
  expect(exitCodeOfDrops([])).toBe(1);
});
