import { expect, test } from '@jest/globals';
import { Failures } from '#core/rules/failures.js';
import { bySale } from '#core/values/by-sale.js';
import { chunks } from '#core/values/chunks.js';
import { inTurn } from '#core/values/in-turn.js';

test('a list is cut into chunks of a size, and the last one has the rest', () => {
  expect([...chunks([1, 2, 3, 4, 5], 2)]).toEqual([[1, 2], [3, 4], [5]]);
  expect([...chunks([1, 2], 2)]).toEqual([[1, 2]]);
  expect([...chunks([], 2)]).toEqual([]);
});

test('rows are grouped by their sale, in the order in which the sales appear', () => {
  const rows = ['b1', 'a1', 'b2', 'a2', 'c1'].map(name => ({ saleId: name.slice(0, 1), name }));
  const names = [...bySale(rows)].map(([saleId, group]) => [saleId, group.map(({ name }) => name)]);
  expect(names).toEqual([
    ['b', ['b1', 'b2']],
    ['a', ['a1', 'a2']],
    ['c', ['c1']],
  ]);
});

test('each element has its turn after the one before, also after a failure', async () => {
  const seen: string[] = [];
  const run = async (n: number) => {
    seen.push(`begin ${n}`);
    await Promise.resolve();
    seen.push(`end ${n}`);
    if (n === 2) throw new Error('two');
  };
  await inTurn([1, 3], run);
  expect(seen).toEqual(['begin 1', 'end 1', 'begin 3', 'end 3']);
  const failed = await inTurn([1, 2, 3], run, n => `number ${n}`).catch(error => error);
  expect(failed).toBeInstanceOf(Failures);
  expect(failed.message).toBe('1 failed: number 2: two');
  expect(seen.slice(-2)).toEqual(['begin 3', 'end 3']);
  await expect(inTurn([2], run)).rejects.toThrow(/^1 failed: two$/);
});
