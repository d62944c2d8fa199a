import { beforeEach, expect, test } from '@jest/globals';
import { countApiProcesses } from '#core/redis/api-processes.js';
import { API_PROCESSES } from '#core/redis/keys.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

beforeEach(() => t.redis.del(API_PROCESSES));

test('each process counts once, whatever it is called again', async () => {
  expect(await countApiProcesses(t.redis, 'a')).toBe(1);
  expect(await countApiProcesses(t.redis, 'b')).toBe(2);
  expect(await countApiProcesses(t.redis, 'a')).toBe(2);
});

test('a process counts until three signs of life are missing', async () => {
  await t.redis.zadd(API_PROCESSES, (await readRedisMs(t.redis)) - 60_000, 'ended');
  await t.redis.zadd(API_PROCESSES, (await readRedisMs(t.redis)) + 60_000, 'of another clock');
  await t.redis.zadd(API_PROCESSES, (await readRedisMs(t.redis)) - 1_000, 'late');
  expect(await countApiProcesses(t.redis, 'a')).toBe(2);
  expect((await t.redis.zrange(API_PROCESSES, '0', '-1')).sort()).toEqual(['a', 'late']);
});

test('the list ends with the last process', async () => {
  await countApiProcesses(t.redis, 'a');
  expect(await t.redis.ttl(API_PROCESSES)).toBeGreaterThan(0);
});
