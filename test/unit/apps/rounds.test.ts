import { expect, test } from '@jest/globals';
import { ROUND_MS, Rounds } from '../../../apps/worker/rounds.js';

const endless = new Promise<boolean>(() => undefined);

test('a second start joins the round in flight', async () => {
  const rounds = new Rounds();
  let runs = 0;
  const run = async () => {
    runs += 1;
    return true;
  };
  expect(await Promise.all([rounds.begin('rescue', run), rounds.begin('rescue', run)])).toEqual([true, true]);
  expect(runs).toBe(1);
  await rounds.begin('rescue', run);
  expect(runs).toBe(2);
});

test('only a round that takes longer than the limit is overdue', async () => {
  const rounds = new Rounds();
  void rounds.begin('reconcile', () => endless);
  await rounds.begin('rescue', async () => false);
  const nowMs = performance.now();
  expect(rounds.overdue(nowMs)).toEqual([]);
  expect(rounds.overdue(nowMs + ROUND_MS + 1)).toEqual(['reconcile']);
});

test('allEnded resolves when the last round has ended', async () => {
  const rounds = new Rounds();
  let finish = (_: boolean) => {};
  void rounds.begin('rescue', () => new Promise(resolve => (finish = resolve)));
  let ended = false;
  const all = rounds.allEnded().then(() => {
    ended = true;
  });
  await rounds.ended('reconcile');
  expect(ended).toBe(false);
  finish(true);
  await all;
  expect(ended).toBe(true);
});
