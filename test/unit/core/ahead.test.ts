import { expect, test } from '@jest/globals';
import { ahead } from '#core/values/ahead.js';

test('the next page is read before the present one is done with', async () => {
  const seen: string[] = [];
  async function* pages() {
    for (const page of [1, 2, 3]) {
      seen.push(`read ${page}`);
      yield page;
    }
  }
  for await (const page of ahead(pages())) seen.push(`use ${page}`);
  expect(seen).toEqual(['read 1', 'read 2', 'use 1', 'read 3', 'use 2', 'use 3']);
});

test('a failed page fails the caller after the pages before it', async () => {
  const seen: number[] = [];
  async function* pages() {
    yield 1;
    throw new Error('away');
  }
  const reading = async () => {
    for await (const page of ahead(pages())) seen.push(page);
  };
  await expect(reading()).rejects.toThrow('away');
  expect(seen).toEqual([1]);
});

test('a caller that fails ends the reading', async () => {
  let isClosed = false;
  async function* pages() {
    try {
      yield 1;
      yield 2;
      yield 3;
    } finally {
      isClosed = true;
    }
  }
  const reading = async () => {
    for await (const _ of ahead(pages())) throw new Error('full');
  };
  await expect(reading()).rejects.toThrow('full');
  expect(isClosed).toBe(true);
});
