import { expect, test } from '@jest/globals';
import { keepRecent } from '../../../apps/api/mirror/recent.js';

const HOUR_MS = 3_600_000;

test('a value is loaded once for all who ask at a time, and kept', async () => {
  let loads = 0;
  const recent = keepRecent(HOUR_MS, 10, async key => `${key}${++loads}`);
  expect(await Promise.all([recent.get('a'), recent.get('a'), recent.get('b')])).toEqual(['a1', 'a1', 'b2']);
  expect(await recent.get('a')).toBe('a1');
  recent.forget();
  expect(await recent.get('a')).toBe('a3');
});

test('a value that was loaded is known at once, until it is too old or forgotten', async () => {
  const recent = keepRecent(HOUR_MS, 10, async key => key);
  const loading = recent.get('a');
  expect(recent.known('a')).toBeUndefined();
  await loading;
  expect([recent.known('a'), recent.known('b')]).toEqual(['a', undefined]);
  recent.forget();
  expect(recent.known('a')).toBeUndefined();
  const stale = keepRecent(0, 10, async key => key);
  await stale.get('a');
  expect(stale.known('a')).toBeUndefined();
});

test('a value that is too old is loaded again', async () => {
  let loads = 0;
  const recent = keepRecent(0, 10, async () => ++loads);
  expect([await recent.get('a'), await recent.get('a')]).toEqual([1, 2]);
});

test('a failure is for those who asked, not for those who come later', async () => {
  let loads = 0;
  const recent = keepRecent(HOUR_MS, 10, async () => {
    loads += 1;
    if (loads === 1) throw new Error('away');
    return loads;
  });
  await expect(recent.get('a')).rejects.toThrow('away');
  expect(await recent.get('a')).toBe(2);
});

test('made-up keys push out the oldest, so memory is bounded', async () => {
  const loaded: string[] = [];
  const recent = keepRecent(HOUR_MS, 2, async key => loaded.push(key));
  for (const key of ['a', 'b', 'c', 'c', 'b', 'a']) await recent.get(key);
  expect(loaded).toEqual(['a', 'b', 'c', 'a']);
});
