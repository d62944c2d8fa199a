import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { RecentSale } from '../../../../apps/api/mirror/sales.js';
import { Waiters } from '../../../../apps/api/waiting/waiters.js';
import { aSale } from '../../../support/sales.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('a waiter without news reads every 5 s, and every second while the feed is deaf', async () => {
  let hears = true;
  const counts = { standbyCap: 0, remaining: 0, claims: 0, waiting: 0, unplaced: 0 };
  const sale: RecentSale = { ...aSale(), ...counts, runId: '', nowMs: Date.now(), readAtMs: performance.now() };
  const waiters = new Waiters({
    feed: { follow: () => () => undefined, hears: () => hears },
    sales: { find: async () => sale, forget: () => undefined },
  });
  const woken = [0, 0, 0, 0, 0];
  for (const i of woken.keys()) {
    const { waiter } = await waiters.open(sale.id, `buyer-${i}`);
    void (async () => {
      while ((await waiter.next(3_600_000)) === 'news') woken[i] = (woken[i] ?? 0) + 1;
    })();
  }
  await jest.advanceTimersByTimeAsync(4_000);
  // One more in each second, so that a crowd's reads are spread.
  expect(woken.reduce((sum, count) => sum + count)).toBe(4);
  await jest.advanceTimersByTimeAsync(6_000);
  expect(woken).toEqual([2, 2, 2, 2, 2]);
  hears = false;
  await jest.advanceTimersByTimeAsync(3_000);
  expect(woken).toEqual([5, 5, 5, 5, 5]);
  waiters.close();
});
