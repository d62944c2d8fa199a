import { afterEach, expect, jest, test } from '@jest/globals';
import type { Change } from '#core/stock/changes.js';
import { Mirror } from '../../apps/api/mirror.js';

afterEach(() => {
  jest.restoreAllMocks();
});

test('a clock of this machine that is set to tomorrow closes no sale', () => {
  const nowMs = 1_900_000_000_000;
  const mirror = new Mirror({
    version: 1,
    free: 0,
    waiting: 0,
    standbyCap: 0,
    state: 'open',
    opensAtMs: nowMs - 1_000,
    closesAtMs: nowMs + 3_600_000,
    verified: true,
    claims: 1,
    nowMs,
  });
  const tomorrow = Date.now() + 24 * 3_600_000;
  jest.spyOn(Date, 'now').mockReturnValue(tomorrow);
  const change: Change = { version: 2, published: 2, standbyCap: 0, state: 'open', buyers: [] };
  expect(mirror.apply(change)).toBe(true);
  expect(mirror.refusalOf('ann')).toBe('sold_out');
  expect(mirror.apply({ ...change, version: 3, free: 1 })).toBe(true);
  expect(mirror.refusalOf('ann')).toBeUndefined();
});
