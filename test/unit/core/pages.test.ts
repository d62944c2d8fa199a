import { describe, expect, test } from '@jest/globals';
import { ahead, pages } from '#core/postgres/pages.js';

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

describe('reading ahead', () => {
  test('the next page is read before the present one is done with', async () => {
    const seen: string[] = [];
    async function* read() {
      for (const page of [1, 2, 3]) {
        seen.push(`read ${page}`);
        yield page;
      }
    }
    for await (const page of ahead(read())) seen.push(`use ${page}`);
    expect(seen).toEqual(['read 1', 'read 2', 'use 1', 'read 3', 'use 2', 'use 3']);
  });

  test('a failed page fails the caller after the pages before it', async () => {
    const seen: number[] = [];
    async function* read() {
      yield 1;
      throw new Error('away');
    }
    const reading = async () => {
      for await (const page of ahead(read())) seen.push(page);
    };
    await expect(reading()).rejects.toThrow('away');
    expect(seen).toEqual([1]);
  });

  test('a caller that fails ends the reading', async () => {
    let isClosed = false;
    async function* read() {
      try {
        yield 1;
        yield 2;
        yield 3;
      } finally {
        isClosed = true;
      }
    }
    const reading = async () => {
      for await (const _ of ahead(read())) throw new Error('full');
    };
    await expect(reading()).rejects.toThrow('full');
    expect(isClosed).toBe(true);
  });
});
