import { describe, expect, test } from '@jest/globals';
import { Units } from '#core/redis/sale/units.js';

const [FIRST, SECOND] = ['0199d0a0-0000-7000-8000-00000000000a', '0199d0a0-0000-7000-8000-00000000000b'];

/** Creates three units, of which the first is held. */
function unitsWith(work: (units: Units) => void): Units {
  const units = new Units(3);
  units.hold(1, FIRST);
  work(units);
  return units;
}

const free = (...all: number[]) => unitsWith(units => all.forEach(unit => void units.free(unit)));

test('units that are each in stock or in one claim are right', () => {
  expect(free(2, 3).wrong()).toEqual([]);
  expect(new Units(0).wrong()).toEqual([]);
});

test.each<[string, number[], number[]]>([
  ['free twice', [2, 3, 3], [3]],
  ['free and claimed', [1, 2, 3], [1]],
  ['neither free nor claimed', [2], [3]],
  ['not of this sale', [2, 3, 4], [4]],
  ['zero', [0, 2, 3], [0]],
])('a unit is wrong that is %s', (_how, stock, wrong) => expect(free(...stock).wrong()).toEqual(wrong));

test('a unit of two claims is wrong, and the same claim counts once', () => {
  const units = free(2, 3);
  units.hold(1, FIRST);
  expect(units.wrong()).toEqual([]);
  units.hold(1, SECOND);
  expect([units.wrong(), units.held]).toEqual([[1], 1]);
});

test('a claim of a unit after the last one is wrong', () => {
  const units = free(2, 3);
  units.hold(4, SECOND);
  expect(units.wrong()).toEqual([4]);
});

describe('a withdrawn unit', () => {
  const withdrawn = (...stock: number[]) => {
    const units = free(...stock);
    units.withdraw(2);
    return units;
  };

  test('belongs neither to stock nor to a claim', () => {
    expect([withdrawn(3).wrong(), [...withdrawn(3).unheld()]]).toEqual([[], [3]]);
    expect(withdrawn(2, 3).wrong()).toEqual([2]);
  });

  test('may still be in the refunded claim, and in no second one', () => {
    const units = withdrawn(3);
    units.hold(2, SECOND);
    expect(units.wrong()).toEqual([]);
    units.hold(2, FIRST);
    expect(units.wrong()).toEqual([2]);
  });
});

describe('a unit that a claim lets go', () => {
  test('is held no more, and may be held by another claim', () => {
    const units = unitsWith(() => undefined);
    units.letGo(1, FIRST);
    expect([units.isHeld(1), units.held, [...units.unheld()]]).toEqual([false, 0, [1, 2, 3]]);
    units.hold(1, SECOND);
    expect([units.isHeldBy(1, SECOND), units.isHeldBy(1, FIRST), units.held]).toEqual([true, false, 1]);
  });

  test('stays with the claim that holds it', () => {
    const units = unitsWith(() => undefined);
    units.letGo(1, SECOND);
    units.letGo(2, SECOND);
    units.letGo(9, SECOND);
    expect([units.isHeldBy(1, FIRST), units.held]).toEqual([true, 1]);
  });
});

test('more units keep what is known of the earlier ones', () => {
  const units = free(2, 3);
  units.growTo(5);
  expect([units.has(5), units.has(6), units.isHeldBy(1, FIRST), units.wrong()]).toEqual([true, false, true, [4, 5]]);
  units.growTo(2);
  expect(units.has(5)).toBe(true);
});

test('a claim whose id ends with zeros holds its unit', () => {
  const units = new Units(1);
  units.hold(1, '0199d0a0-0000-7000-8000-000000000000');
  expect([units.isHeld(1), units.wrong()]).toEqual([true, []]);
});
