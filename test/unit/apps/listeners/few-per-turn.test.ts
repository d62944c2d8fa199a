import { expect, test } from '@jest/globals';
import { createFewPerTurn } from '../../../../apps/api/listeners/few-per-turn.js';

const turn = () => new Promise(resolve => setImmediate(resolve));

test('many requests are taken up in order, at most 16 in a turn of the event loop', async () => {
  const takeUpLater = createFewPerTurn();
  const taken: number[] = [];
  for (let i = 0; i < 100; i += 1) takeUpLater(() => taken.push(i));
  expect(taken).toEqual([]);
  for (let done = 0; taken.length < 100; done = taken.length) {
    await turn();
    expect(taken.length - done).toBeGreaterThan(0);
    expect(taken.length - done).toBeLessThanOrEqual(16);
  }
  expect(taken).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test('a request that comes while others are taken up has its turn after them', async () => {
  const takeUpLater = createFewPerTurn();
  const taken: string[] = [];
  takeUpLater(() => {
    taken.push('first');
    takeUpLater(() => taken.push('third'));
  });
  takeUpLater(() => taken.push('second'));
  await turn();
  await turn();
  expect(taken).toEqual(['first', 'second', 'third']);
});
