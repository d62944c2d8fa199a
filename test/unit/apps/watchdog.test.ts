import { afterEach, expect, test } from '@jest/globals';
import { startWatchdog, type Watched } from '../../../apps/worker/watchdog.js';
import { eventually } from '../../support/eventually.js';

const EVERY_MS = 5;

let watchdog: { stop(): void };
afterEach(() => watchdog.stop());

/** Watches a process in which a round hangs, for a number of checks. */
async function watch(watched: Partial<Watched>, checks: number): Promise<string[][]> {
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
  await eventually(() => expect(taken).toBeGreaterThanOrEqual(checks));
  return ended;
}

test('the watchdog ends a process in which a round hangs', async () => {
  const ended = await watch({}, 4);
  expect(ended[0]).toEqual(['rescue']);
});

test('two bad checks in a row end nothing, as the work may have waited for a store', async () => {
  let checks = 0;
  const hangsTwice = () => {
    checks += 1;
    return checks % 3 === 0 ? [] : ['rescue'];
  };
  expect(await watch({ overdue: hangsTwice }, 20)).toEqual([]);
});

test('a hanging round ends nothing while a store is away', async () => {
  const storesAnswer = async () => {
    throw new Error('no answer');
  };
  expect(await watch({ storesAnswer }, 10)).toEqual([]);
});

test('a process without a hanging round keeps running', async () => {
  expect(await watch({ overdue: () => [] }, 10)).toEqual([]);
});
