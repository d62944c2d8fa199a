import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dealt } from '#core/redis/sale/dealing.js';
import { Units } from '#core/redis/sale/units.js';

const SEED = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
const VECTOR = [9, 2, 8, 6, 7, 3, 10, 4, 5, 1];
const CLAIM = '0199d0a0-0000-7000-8000-00000000000a';

const orderOf = (units: Units, seed?: string) => [...dealt(units, seed)].flat();
const sorted = (order: number[]) => [...order].sort((a, b) => a - b);
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

const anySeed = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes).toString('hex'));

/** Creates units of which some are held. */
function unitsWithout(count: number, held: Iterable<number>): Units {
  const units = new Units(count);
  for (const unit of held) units.hold(unit, CLAIM);
  return units;
}

describe('units', () => {
  test('are dealt in the order of their numbers without a seed', () => {
    expect(orderOf(new Units(12_000))).toEqual(numbers(12_000));
    expect(orderOf(new Units(0))).toEqual([]);
  });

  // printf '\0%.0s' $(seq 40) | openssl enc -aes-256-ctr -K $SEED -iv 00000000000000000000000000000000 | xxd -p -c 4
  // prints the keys of units 1 to 10, in this order.
  test('are dealt in the order of their 4 bytes of the keystream of AES-256-CTR', () => {
    expect(orderOf(new Units(10), SEED)).toEqual(VECTOR);
  });

  test('are all dealt once, in pages of 5,000, whatever the seed and the number of units', () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 0, max: 12_000 }), (seed, count) => {
        const pages = [...dealt(new Units(count), seed)];
        expect(pages.map(({ length }) => length)).toEqual(
          Array.from({ length: Math.ceil(count / 5_000) }, (_, i) => Math.min(5_000, count - 5_000 * i)),
        );
        expect(sorted(pages.flat()).join()).toBe(numbers(count).join());
      }),
      { numRuns: 10 },
    );
  });

  test('that are left keep their order, wherever the others are', () => {
    const history = fc.record({ seed: anySeed, count: fc.integer({ min: 1, max: 400 }), taken: fc.nat(400) });
    fc.assert(
      fc.property(history, ({ seed, count, taken }) => {
        const order = orderOf(new Units(count), seed);
        expect(orderOf(unitsWithout(count, order.slice(0, taken)), seed)).toEqual(order.slice(taken));
      }),
    );
  });

  test('of a large sale are sorted by parts, and each part has its share of the keys', () => {
    const count = 2_100_000;
    const order = orderOf(unitsWithout(count, [7]), SEED);
    expect(order).toHaveLength(count - 1);
    expect(new Set(order).size).toBe(count - 1);
    expect(order).not.toContain(7);
    // The parts follow each other in the order of the keys, so a small sale with the seed has its units in the same order.
    const small = new Set(numbers(1_000).filter(unit => unit !== 7));
    expect(order.filter(unit => small.has(unit))).toEqual(orderOf(unitsWithout(1_000, [7]), SEED));
  });
});

test('a buyer’s number tells nothing about how many were sold before', () => {
  // A rank correlation of 1 is 1, 2, 3; of 1,000 random units, it is 0 with a deviation of 0.03.
  const order = orderOf(new Units(1_000), SEED);
  const distance = order.reduce((sum, unit, i) => sum + (unit - (i + 1)) ** 2, 0);
  const correlation = 1 - (6 * distance) / (1_000 * (1_000 ** 2 - 1));
  expect(Math.abs(correlation)).toBeLessThan(0.2);
});
