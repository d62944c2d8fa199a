import { describe, expect, test } from '@jest/globals';
import { inOpeningOrder, phaseOf, roughly, type Sale, type SaleState, standbyCap } from '#core/rules/sale.js';
import { ordinarySale } from '#stack/crowd/open-sale.js';

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

describe('sales are opened again', () => {
  const sale = (id: string, wanted: Partial<Sale>): Sale => ({
    ...ordinarySale({ id, units: 10, opensAtMs: OPENS, payWithinSeconds: 60, standbyFactor: 0 }),
    closesAtMs: CLOSES,
    ...wanted,
  });
  const idsOf = (sales: Sale[]) => inOpeningOrder(sales, OPENS).map(({ id }) => id);

  test('those that sell before those that open, and those that have ended at last', () => {
    const ended = [
      sale('ended', { opensAtMs: 1, closesAtMs: OPENS - 2, units: 1 }),
      sale('ended later', { opensAtMs: 1, closesAtMs: OPENS - 1 }),
      sale('closed by hand', { state: 'closed' }),
    ];
    const next = [
      sale('opens later', { opensAtMs: OPENS + 2, units: 1 }),
      sale('opens next', { opensAtMs: OPENS + 1 }),
      sale('paused', { state: 'paused' }),
    ];
    const order = ['sells', 'paused', 'opens next', 'opens later', 'closed by hand', 'ended later', 'ended'];
    expect(idsOf([...ended, ...next, sale('sells', { units: 1_000 })])).toEqual(order);
  });

  test('a small one before a large one', () => {
    const sales = [2_000, 1, 300].map(units => sale(`${units}`, { units }));
    expect(idsOf(sales)).toEqual(['1', '300', '2000']);
  });
});

test('the standby has room for the factor times the units', () => {
  expect(standbyCap({ units: 10, standbyFactor: 3 })).toBe(30);
  expect(standbyCap({ units: 10, standbyFactor: 0 })).toBe(0);
});

test.each([
  [0, 0],
  [1, 10],
  [10, 10],
  [11, 100],
  [100, 100],
  [101, 250],
  [250, 250],
])('roughly %i of 250 free units are %i', (remaining, rough) => {
  expect(roughly(remaining, { units: 250 })).toBe(rough);
});

test('a rough number of free units is at least the true one, and at most that of all units', () => {
  for (let units = 1; units <= 1_200; units += 7) {
    for (let remaining = 1; remaining <= units; remaining += 1) {
      const rough = roughly(remaining, { units });
      expect(rough >= remaining && rough <= units).toBe(true);
    }
  }
});
