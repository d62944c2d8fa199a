import { expect, test } from '@jest/globals';
import { entryPages, storeEntries } from '#core/postgres/draws/entries.js';
import { createDraw } from '../../support/draws/lines.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Numbers at both ends of pages, and after gaps: a rebuild makes numbers jump. */
const NUMBERS = [1, 4_999, 5_000, 5_001, 10_000, 10_001, 100_001, 312_345];

test('every entry is read once and in order, however far apart the numbers are', async () => {
  const sale = await createDraw(t, { units: 1 });
  const entries = NUMBERS.map((number, i) => ({
    number,
    buyerId: `buyer-${number}`,
    change: i + 1,
    isWaiting: number !== 5_001,
  }));
  // Two lost Redis servers may have given out the same number.
  const twin = { number: 5_000, buyerId: 'twin', change: 99, isWaiting: true };
  await storeEntries(t.db, sale.id, [...entries, twin]);
  const read = async (which: 'published' | 'late' | 'all') => {
    const numbers: number[] = [];
    for await (const page of entryPages(t.db, sale.id, which)) numbers.push(...page.map(({ number }) => number));
    return numbers;
  };
  expect(await read('all')).toEqual([...NUMBERS, 5_000].sort((a, b) => a - b));
  expect(await read('published')).toEqual([1, 4_999, 5_000, 5_000, 10_000, 10_001, 100_001, 312_345]);
  expect(await read('late')).toEqual([]);
});
