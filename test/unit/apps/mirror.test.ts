import { afterEach, expect, jest, test } from '@jest/globals';
import type { Change } from '#core/redis/feed/changes.js';
import { Mirror } from '../../../apps/api/mirror/mirror.js';

afterEach(() => {
  jest.restoreAllMocks();
});

const NOW_MS = 1_900_000_000_000;

/** A mirror of a sale without a free unit or room on standby. */
const soldOut = () =>
  new Mirror({
    version: 1,
    free: 0,
    waiting: 0,
    standbyCap: 0,
    state: 'open',
    opensAtMs: NOW_MS - 1_000,
    closesAtMs: NOW_MS + 3_600_000,
    verified: true,
    claims: 1,
    nowMs: NOW_MS,
  });

test('setting the clock of the machine to tomorrow closes no sale', () => {
  const mirror = soldOut();
  mirror.confirm({ version: 1, nowMs: NOW_MS, askedAtMs: performance.now() });
  const tomorrow = Date.now() + 24 * 3_600_000;
  jest.spyOn(Date, 'now').mockReturnValue(tomorrow);
  const change: Change = { version: 2, published: 2, standbyCap: 0, state: 'open', buyers: [] };
  expect(mirror.apply(change)).toBe(true);
  expect(mirror.refusalOf('ann')).toBe('sold_out');
  expect(mirror.apply({ ...change, version: 3, free: 1 })).toBe(true);
  expect(mirror.refusalOf('ann')).toBeUndefined();
});

test('a mirror that Redis has not confirmed for a second answers nothing', () => {
  const mirror = soldOut();
  expect(mirror.refusalOf('ann')).toBeUndefined();
  mirror.confirm({ version: 1, nowMs: NOW_MS, askedAtMs: performance.now() });
  expect(mirror.refusalOf('ann')).toBe('sold_out');
  // The process was stopped for a while, so its last message is old.
  const later = performance.now() + 1_500;
  jest.spyOn(performance, 'now').mockReturnValue(later);
  expect(mirror.refusalOf('ann')).toBeUndefined();
  mirror.confirm({ version: 1, nowMs: NOW_MS + 1_500, askedAtMs: later });
  expect(mirror.refusalOf('ann')).toBe('sold_out');
});
