import { afterEach, expect, test } from '@jest/globals';
import { startWatchdog, type Watched } from '../../../apps/worker/watchdog.js';
import { eventually } from '../../support/eventually.js';

const EVERY_MS = 5;

let watchdog: { stop(): void };
afterEach(() => watchdog.stop());

/** Watches a process in which something hangs, until so many looks were taken. */
async function watch(watched: Partial<Watched>, looks: number): Promise<string[][]> {
  const ended: string[][] = [];
  let taken = 0;
  const all: Watched = {
    overdue: () => ['rescue'],
    storesAnswer: async () => undefined,
    end: hanging => ended.push(hanging),
    ...watched,
  };
  const overdue = () => {
    taken += 1;
    return all.overdue();
  };
  watchdog = startWatchdog({ ...all, overdue }, EVERY_MS);
  await eventually(() => expect(taken).toBeGreaterThanOrEqual(looks));
  return ended;
}

test('a process in which something hangs is ended', async () => {
  const ended = await watch({}, 4);
  expect(ended[0]).toEqual(['rescue']);
});

test('not at the first looks: what waited for a store is let go on', async () => {
  let looks = 0;
  const hangsTwice = () => {
    looks += 1;
    return looks % 3 === 0 ? [] : ['rescue'];
  };
  expect(await watch({ overdue: hangsTwice }, 20)).toEqual([]);
});

test('not while a store is away', async () => {
  const storesAnswer = async () => {
    throw new Error('no answer');
  };
  expect(await watch({ storesAnswer }, 10)).toEqual([]);
});

test('not while nothing hangs', async () => {
  expect(await watch({ overdue: () => [] }, 10)).toEqual([]);
});
