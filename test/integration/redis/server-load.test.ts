import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { connectRedis, waitUntilReady } from '#core/redis/connection.js';
import { keysOf } from '#core/redis/keys.js';
import { ServerLoad } from '../../../apps/api/load/server-load.js';
import { readMetric } from '../../support/http/metrics.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const MINUTE_MS = 60_000;
const failures = () => readMetric('dropline_store_errors_total{store="redis"}');

/** Opens a sale with ten claims that have waited for a while. */
async function saleWaiting(waitedMs: number): Promise<string> {
  const { id } = await openTestSale(t, { units: 10 });
  await win(t, { id }, ...buyers(10));
  const atMs = (await readRedisMs(t.redis)) - waitedMs;
  for (const buyerId of buyers(10)) await t.redis.zadd(keysOf(id).outbox, atMs, buyerId);
  return id;
}

test('each reading finds the outboxes as they are then', async () => {
  const load = new ServerLoad(t.redis);
  expect([load.outboxAgeMs, load.levels.size]).toEqual([0, 0]);
  const one = await saleWaiting(3 * MINUTE_MS);
  await load.read();
  expect(load.outboxAgeMs).toBeGreaterThanOrEqual(3 * MINUTE_MS);
  expect([...load.levels]).toEqual([[one, 1]]);
  const other = await saleWaiting(10 * MINUTE_MS);
  await load.read();
  expect(load.outboxAgeMs).toBeGreaterThanOrEqual(10 * MINUTE_MS);
  expect(new Map(load.levels)).toEqual(
    new Map([
      [one, 1],
      [other, 2],
    ]),
  );
});

test('while Redis is away the last reading holds, and nothing counts as a failure', async () => {
  const redis = connectRedis(t.redisUrl, 'api', () => undefined);
  await waitUntilReady(redis);
  const load = new ServerLoad(redis);
  await saleWaiting(3 * MINUTE_MS);
  await load.read();
  const [before, levels] = [await failures(), new Map(load.levels)];
  const ended = once(redis, 'end');
  redis.disconnect();
  await ended;
  await load.read();
  expect(await failures()).toBe(before);
  expect(load.outboxAgeMs).toBeGreaterThanOrEqual(3 * MINUTE_MS);
  expect(new Map(load.levels)).toEqual(levels);
});

test('a reading that fails is a failure of Redis, and the next one is tried', async () => {
  const load = new ServerLoad(t.redis);
  const id = await saleWaiting(MINUTE_MS);
  const { outbox } = keysOf(id);
  await t.redis.rename(outbox, `${outbox}-away`);
  await t.redis.set(outbox, 'of another type');
  const before = await failures();
  await load.read();
  expect(await failures()).toBe(before + 1);
  await t.redis.rename(`${outbox}-away`, outbox);
  await load.read();
  expect(load.outboxAgeMs).toBeGreaterThanOrEqual(MINUTE_MS);
  expect(await failures()).toBe(before + 1);
});
