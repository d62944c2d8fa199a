import { describe, expect, test } from '@jest/globals';
import { exitCodeOf, holds, type Verdict } from '#stack/crowd/reckoning.js';

const GOOD: Verdict = {
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

const BAD: [string, Verdict][] = [
  ['a buyer with two orders', { ...GOOD, reckoning: { ...GOOD.reckoning, duplicates: 1 } }],
  ['an oversold unit', { ...GOOD, reckoning: { ...GOOD.reckoning, oversold: 1 } }],
  ['a lost claim', { ...GOOD, reckoning: { ...GOOD.reckoning, lost: 1 } }],
  ['an audit that failed', { ...GOOD, reckoning: { ...GOOD.reckoning, auditOk: false } }],
  ['a wrong line', { ...GOOD, wrong: ['a unit is missing'] }],
];

describe('a verdict about a crowd', () => {
  test('holds without a violation, and the program ends with 0', () => {
    expect(holds(GOOD)).toBe(true);
    expect(exitCodeOf(GOOD, 0)).toBe(0);
  });

  test.each(BAD)('does not hold with %s, and the program ends with 1', (_, verdict) => {
    expect(holds(verdict)).toBe(false);
    expect(exitCodeOf(verdict, 0)).toBe(1);
  });

  test('a buyer without an answer ends the program with 1, with a verdict or without', () => {
    expect(exitCodeOf(GOOD, 1)).toBe(1);
    expect(exitCodeOf(undefined, 1)).toBe(1);
  });

  test('a crowd that can not be proved ends with 0 if every buyer was answered', () => {
    expect(exitCodeOf(undefined, 0)).toBe(0);
  });
});
