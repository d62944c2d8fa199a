import { describe, expect, test } from '@jest/globals';
import { BuyerSet, keyOf } from '../../../../apps/api/mirror/buyer-set.js';
import { buyers } from '../../../support/sales.js';

/** Numbers that look random and are the same in each run (Park and Miller, 1988). */
function* numbersUpTo(limit: number): Generator<number, never> {
  for (let state = 42; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state % limit;
  }
}

describe('the key of a buyer', () => {
  test('is a whole number from 1, the same each time', () => {
    for (const id of ['', 'a', 'buyer1', 'x'.repeat(64)]) {
      expect(Number.isSafeInteger(keyOf(id) - 1) && keyOf(id) >= 1).toBe(true);
      expect(keyOf(id)).toBe(keyOf(`${id}`));
    }
  });

  test('is another one for each of 200,000 buyers', () => {
    expect(new Set(buyers(200_000).map(keyOf)).size).toBe(200_000);
  });
});

describe('a set of buyers', () => {
  test('has those that were added, and not those that were taken out', () => {
    const set = new BuyerSet(2);
    for (const id of ['ann', 'bea', 'bea', 'cem']) set.add(keyOf(id));
    set.delete(keyOf('bea'));
    set.delete(keyOf('nobody'));
    expect(['ann', 'bea', 'cem', 'dan'].map(id => set.has(keyOf(id)))).toEqual([true, false, true, false]);
    expect(set.size).toBe(2);
  });

  test('does what a Set does, in whatever order buyers come and leave', () => {
    const [set, model] = [new BuyerSet(0), new Set<number>()];
    // Few keys, close to each other and to both ends, meet in the same slots.
    const keys = [...buyers(300).map(keyOf), ...[1, 2, 3, 2 ** 53, 2 ** 53 - 1, 2 ** 53 - 2]];
    const random = numbersUpTo(keys.length);
    for (let i = 0; i < 50_000; i += 1) {
      const key = keys[random.next().value] as number;
      if (random.next().value % 2 === 0) {
        set.add(key);
        model.add(key);
      } else {
        set.delete(key);
        model.delete(key);
      }
      if (i % 100 === 0) expect(keys.filter(one => set.has(one))).toEqual(keys.filter(one => model.has(one)));
    }
    expect(set.size).toBe(model.size);
  });

  test.each([0, 100_000])('takes at most 12 bytes for each of 100,000 buyers, with room for %d', expected => {
    const set = new BuyerSet(expected);
    for (const id of buyers(100_000)) set.add(keyOf(id));
    expect(set.bytes / set.size).toBeLessThanOrEqual(12);
    expect(buyers(100_000).filter(id => !set.has(keyOf(id)))).toEqual([]);
    expect(buyers(1_000, 'stranger').filter(id => set.has(keyOf(id)))).toEqual([]);
  });
});
