import { describe, expect, test } from '@jest/globals';
import { phaseOf, type SaleState, standbyCap } from '#core/rules/sale.js';

const OPENS = 1_000;
const CLOSES = 2_000;
const phase = (state: SaleState, remaining: number, nowMs: number) =>
  phaseOf({ state, opensAtMs: OPENS, closesAtMs: CLOSES }, remaining, nowMs);

describe('the phase of a sale', () => {
  test.each([
    [OPENS - 1, 5, 'upcoming'],
    [OPENS - 1, 0, 'upcoming'],
    [OPENS, 5, 'open'],
    [OPENS, 0, 'sold_out'],
    [CLOSES - 1, 1, 'open'],
    [CLOSES, 1, 'closed'],
    [CLOSES + 1, 0, 'closed'],
  ])('at %d ms with %d units left an open sale is %s', (nowMs, remaining, expected) => {
    expect(phase('open', remaining, nowMs)).toBe(expected);
  });

  test.each([OPENS - 1, OPENS, CLOSES - 1])('a paused sale is paused at %d ms', nowMs => {
    expect(phase('paused', 5, nowMs)).toBe('paused');
  });

  test('a paused sale closes with its window', () => expect(phase('paused', 5, CLOSES)).toBe('closed'));

  test.each([OPENS - 1, OPENS, CLOSES])('a closed sale is closed at %d ms', nowMs => {
    expect(phase('closed', 5, nowMs)).toBe('closed');
  });
});

test('the standby has room for the factor times the units', () => {
  expect(standbyCap({ units: 10, standbyFactor: 3 })).toBe(30);
  expect(standbyCap({ units: 10, standbyFactor: 0 })).toBe(0);
});
