import { expect } from '@jest/globals';
import type { Redis } from '#core/redis/connection.js';

/**
 * Reads every key of a Redis with its serialised value and expiry. Two equal dumps mean that nothing was written between. Changes
 * that wait for a message are left out, as they leave by themselves; each of them also changes a count of its sale.
 */
export async function dumpKeys(redis: Redis): Promise<Record<string, string>> {
  const keys = (await redis.keys('*')).filter(key => !key.endsWith(':news')).sort();
  const entries = keys.map(async key => {
    const [value, expiry] = [await redis.dumpBuffer(key), await redis.pexpiretime(key)];
    return [key, `${value?.toString('hex')} ${expiry}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Makes a call, and expects that Redis is the same afterwards. */
export async function writesNothing<T>(redis: Redis, call: () => Promise<T>): Promise<T> {
  const before = await dumpKeys(redis);
  const result = await call();
  expect(await dumpKeys(redis)).toEqual(before);
  return result;
}

/** Gives each key a value of another type in turn. The call must then fail before its first write. */
export async function expectTypesChecked(redis: Redis, keys: string[], call: () => Promise<unknown>): Promise<void> {
  for (const key of keys) {
    const value = await redis.dumpBuffer(key);
    await redis.set(key, 'of another type');
    await writesNothing(redis, () => expect(call()).rejects.toThrow('WRONGTYPE'));
    await redis.del(key);
    if (value) await redis.restore(key, 0, value);
  }
}

/** Runs `work` while Redis is full and refuses every command that needs memory. */
export async function whileFull<T>(redis: Redis, work: () => Promise<T>): Promise<T> {
  await redis.config('SET', 'maxmemory', '1');
  try {
    return await work();
  } finally {
    await redis.config('SET', 'maxmemory', '0');
  }
}
