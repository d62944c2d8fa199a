import { expect, test } from '@jest/globals';
import { type DropVerdict, exitCodeOfDrops, totalOf } from '#stack/crowd/drops.js';
import { holds } from '#stack/crowd/reckoning.js';
import { GOOD, wrongVerdicts } from './wrong-verdicts.js';

const GOOD_DROP: DropVerdict = { ...GOOD, saleId: 'drop-1', node: '127.0.0.1:7001' };
const BAD = wrongVerdicts(GOOD_DROP);

test('several good drops hold together, and their counts add up', () => {
  const total = totalOf([GOOD_DROP, GOOD_DROP]);
  const twice = { units: 6, buyers: 18, joined: 8, drawing: 2, claimed: 8, soldOut: 10, placed: 6 };
  expect(total.reckoning).toEqual({
    ...twice,
    paid: 6,
    cancelled: 2,
    duplicates: 0,
    oversold: 0,
    lost: 0,
    auditOk: true,
  });
  expect(holds(total)).toBe(true);
  expect(exitCodeOfDrops([GOOD_DROP, GOOD_DROP])).toBe(0);
});

test.each(BAD)('one drop of several with %s ends the program with 1, and the total says so', (_, bad) => {
  const drops = [GOOD_DROP, { ...bad, saleId: 'drop-2' }, GOOD_DROP];
  expect(exitCodeOfDrops(drops)).toBe(1);
  expect(holds(totalOf(drops))).toBe(false);
});

test('a line about a violation names the drop', () => {
  expect(totalOf([GOOD_DROP, { ...GOOD_DROP, saleId: 'drop-2', wrong: ['a unit is missing'] }]).wrong).toEqual([
    'drop-2: a unit is missing',
  ]);
});

test('a program that sold no drop has proved nothing', () => {
  expect(exitCodeOfDrops([])).toBe(1);
});
