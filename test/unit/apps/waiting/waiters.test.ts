import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { RecentSale } from '../../../../apps/api/mirror/sales.js';
import { Waiters } from '../../../../apps/api/waiting/waiters.js';
import { aSale } from '../../../support/sales.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

/** A sale as an API remembers it. */
function recentSale(): RecentSale {
  const counts = { standbyCap: 0, remaining: 0, claims: 0, waiting: 0, unplaced: 0 };
  return { ...aSale(), ...counts, runId: '', nowMs: Date.now(), readAtMs: performance.now() };
}

test('a waiter without news reads every 5 s, and every second while the feed is deaf', async () => {
  let hears = true;
  const sale = recentSale();
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

test('waiters that are opened at once share what is followed of their sale, until the last one leaves', async () => {
  const sale = recentSale();
  const followed: string[] = [];
  const follow = () => {
    followed.push('follows');
    return () => void followed.push('stops');
  };
  const waiters = new Waiters({
    feed: { follow, hears: () => true },
    sales: { find: async () => sale, forget: () => undefined },
  });
  const [first, second] = await Promise.all(['ann', 'bob'].map(buyerId => waiters.open(sale.id, buyerId)));
  expect(followed).toEqual(['follows']);
  first?.waiter.leave();
  expect(followed).toEqual(['follows']);
  const ended = second?.waiter.next(1_000);
  waiters.close();
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await ended).toBe('left');
  expect(followed).toEqual(['follows', 'stops']);
});

/** The most waits in one process (apps/api/waiting/waiters.ts), and of one buyer for one sale (buyer-waiters.ts). */
const WAITS_MAX = 10_000;
const OF_A_BUYER = 4;

function createWaiters(sale: RecentSale): Waiters {
  return new Waiters({
    feed: { follow: () => () => undefined, hears: () => true },
    sales: { find: async () => sale, forget: () => undefined },
  });
}

test('each wait counts, also several of one buyer, until it ends', async () => {
  const sale = recentSale();
  const waiters = createWaiters(sale);
  const open = async (buyerId: string) => (await waiters.open(sale.id, buyerId)).waiter;
  const [first, second, third] = [await open('ann'), await open('ann'), await open('bob')];
  expect(waiters.count()).toBe(3);
  first.leave();
  first.leave();
  expect(waiters.count()).toBe(2);
  second.leave();
  third.leave();
  expect(waiters.count()).toBe(0);
});

test('10,000 waits are the most, whether of many buyers or four of each', async () => {
  const sale = recentSale();
  const waiters = createWaiters(sale);
  for (let i = 0; i < WAITS_MAX; i += 1) await waiters.open(sale.id, `buyer-${Math.floor(i / OF_A_BUYER)}`);
  await expect(waiters.open(sale.id, 'one-more')).rejects.toMatchObject({ code: 'too_many_requests' });
  waiters.close();
  expect(waiters.count()).toBe(0);
});

test('a waiter that is opened after the close has ended already', async () => {
  const sale = recentSale();
  const waiters = createWaiters(sale);
  waiters.close();
  const { waiter } = await waiters.open(sale.id, 'ann');
  // Without an end, the wait would pass its limit.
  const ended = waiter.next(60_000);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(await ended).toBe('left');
  expect(waiters.count()).toBe(0);
});
