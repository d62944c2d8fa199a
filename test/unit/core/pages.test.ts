import { expect, test } from '@jest/globals';
import { pages } from '#core/postgres/pages.js';

/** Reads rows 1 to `count` by pages, and returns the pages and the ids after which each was read. */
async function readAll(count: number, size: number) {
  const rows = Array.from({ length: count }, (_, i) => ({ id: BigInt(i + 1) }));
  const after: bigint[] = [];
  const read: bigint[][] = [];
  const page = async (afterId: bigint) => {
    after.push(afterId);
    return rows.filter(({ id }) => id > afterId).slice(0, size);
  };
  for await (const one of pages(size, page)) read.push(one.map(({ id }) => id));
  return { after, read };
}

test('each page begins after the last row of the page before', async () => {
  expect(await readAll(5, 2)).toEqual({ after: [0n, 2n, 4n], read: [[1n, 2n], [3n, 4n], [5n]] });
});

test('a full last page is followed by a look for more', async () => {
  expect(await readAll(4, 2)).toEqual({
    after: [0n, 2n, 4n],
    read: [
      [1n, 2n],
      [3n, 4n],
    ],
  });
});

test('a page that is not full is the last one', async () => {
  expect(await readAll(1, 2)).toEqual({ after: [0n], read: [[1n]] });
  expect(await readAll(0, 2)).toEqual({ after: [0n], read: [] });
});
