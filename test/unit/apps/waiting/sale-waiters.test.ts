import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Change } from '#core/redis/feed/changes.js';
import type { RecentSale } from '../../../../apps/api/mirror/sales.js';
import { SaleWaiters } from '../../../../apps/api/waiting/sale-waiters.js';
import { Waiter } from '../../../../apps/api/waiting/waiter.js';
import { Waiters } from '../../../../apps/api/waiting/waiters.js';
import { aSale } from '../../../support/sales.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const change = (wanted: Partial<Change> = {}): Change => ({
  version: 1,
  since: 1,
  published: 1,
  standbyCap: 0,
  state: 'open',
  buyers: [],
  ...wanted,
});

/** The waiters of a sale with one of each buyer, and what happens: `forgets` the cached sale, or wakes a buyer. */
function waiting(closesInMs = HOUR_MS, opensInMs = -1) {
  const happened: string[] = [];
  let followed = 0;
  const follow = () => {
    followed += 1;
    return () => {
      followed -= 1;
    };
  };
  const sale = new SaleWaiters({
    feed: { follow },
    onSaleChanged: () => happened.push('forgets'),
    saleId: 'sale',
    opensInMs,
    closesInMs,
  });
  for (const buyerId of ['ann', 'bob']) {
    const waiter: Waiter = new Waiter(0, () => sale.remove(buyerId, waiter));
    const wake = waiter.wake.bind(waiter);
    waiter.wake = () => {
      happened.push(buyerId);
      wake();
    };
    sale.add(buyerId, waiter);
  }
  happened.splice(0);
  return { sale, happened, follows: () => followed };
}

const ALL = ['forgets', 'ann', 'bob'];

describe('the waiters of a sale', () => {
  test('are woken by a change of their own buyer alone', () => {
    const { sale, happened } = waiting();
    const record = 'c1 1 queued - -';
    sale.changed(change({ buyers: [{ kind: 'claim', buyerId: 'bob', record }] }));
    expect(happened).toEqual(['bob']);
    sale.changed(
      change({
        buyers: [
          { kind: 'left', buyerId: 'ann' },
          { kind: 'joined', buyerId: 'cem' },
        ],
      }),
    );
    expect(happened).toEqual(['bob', 'ann']);
  });

  test('are all woken by another state of the sale, once the cached sale is forgotten', () => {
    const { sale, happened } = waiting();
    sale.changed(change({ state: 'paused' }));
    expect(happened).toEqual(ALL);
    sale.changed(change({ state: 'paused' }));
    expect(happened).toEqual(ALL);
    sale.changed(change({ state: 'open' }));
    expect(happened).toEqual([...ALL, ...ALL]);
  });

  test.each(['listening', 'deaf'] as const)('are all woken when the feed is %s, as a change may be missed', event => {
    const { sale, happened } = waiting();
    sale[event]();
    expect(happened).toEqual(ALL);
  });

  test('are all woken just after the end of the sale, which no message reports', () => {
    const { happened } = waiting(1_000);
    jest.advanceTimersByTime(1_000);
    expect(happened).toEqual([]);
    jest.advanceTimersByTime(50);
    expect(happened).toEqual(ALL);
  });

  test('are all woken just after the opening, which no message reports either', () => {
    const { sale, happened } = waiting(HOUR_MS, 1_000);
    jest.advanceTimersByTime(1_000);
    expect(happened).toEqual([]);
    jest.advanceTimersByTime(50);
    expect(happened).toEqual(ALL);
    sale.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('are not woken at once by an end that is further away than a timer reaches', () => {
    const { happened } = waiting(60 * DAY_MS);
    jest.advanceTimersByTime(HOUR_MS);
    expect(happened).toEqual([]);
  });

  test('follow the sale until they are stopped, and leave no timer behind', () => {
    const { sale, follows } = waiting();
    expect(follows()).toBe(1);
    sale.stop();
    expect([follows(), jest.getTimerCount()]).toEqual([0, 0]);
  });

  test('all end at once, and none is left', () => {
    const { sale } = waiting();
    expect(sale.isEmpty).toBe(false);
    sale.leaveAll();
    expect(sale.isEmpty).toBe(true);
  });
});

describe('the waiters of a process', () => {
  /** The waiters of a process, with one sale whose copy is forgotten `forgotten` times. */
  function process() {
    const counts = { standbyCap: 0, remaining: 0, claims: 0, waiting: 0, unplaced: 0 };
    const sale: RecentSale = {
      ...aSale({ id: 'sale' }),
      ...counts,
      runId: '',
      nowMs: Date.now(),
      readAtMs: performance.now(),
    };
    const seen = { followed: 0, forgotten: 0 };
    const follow = () => {
      seen.followed += 1;
      return () => {
        seen.followed -= 1;
      };
    };
    const forget = () => {
      seen.forgotten += 1;
    };
    const waiters = new Waiters({
      feed: { follow, hears: () => true },
      sales: { find: async () => sale, forget },
    });
    return { waiters, seen };
  }

  test('follow a sale once, from the first waiter to the last', async () => {
    const { waiters, seen } = process();
    const [first, second] = [await waiters.open('sale', 'ann'), await waiters.open('sale', 'bob')];
    expect([seen.followed, waiters.count()]).toEqual([1, 2]);
    // The cached sale may be older than the feed, so it is read again.
    expect(seen.forgotten).toBe(1);
    first.waiter.leave();
    first.waiter.leave();
    expect([seen.followed, waiters.count()]).toEqual([1, 1]);
    second.waiter.leave();
    expect([seen.followed, waiters.count()]).toEqual([0, 0]);
    await waiters.open('sale', 'cem');
    expect(seen.followed).toBe(1);
    waiters.close();
  });

  test('are 10,000 at most, and the next one has to come back', async () => {
    const { waiters } = process();
    const opened = await Promise.all(Array.from({ length: 10_000 }, (_, i) => waiters.open('sale', `b${i}`)));
    await expect(waiters.open('sale', 'next')).rejects.toMatchObject({
      code: 'too_many_requests',
      details: { retryAfterSeconds: 1 },
    });
    opened[0]?.waiter.leave();
    await waiters.open('sale', 'next');
    expect(waiters.count()).toBe(10_000);
    waiters.close();
  });

  test('end with the process, and one that is opened later ends at once', async () => {
    const { waiters, seen } = process();
    const { waiter } = await waiters.open('sale', 'ann');
    const waits = waiter.next(HOUR_MS);
    waiters.close();
    expect(await waits).toBe('left');
    const late = await waiters.open('sale', 'bob');
    expect(await late.waiter.next(HOUR_MS)).toBe('left');
    expect([waiters.count(), seen.followed, jest.getTimerCount()]).toEqual([0, 0, 0]);
  });
});
