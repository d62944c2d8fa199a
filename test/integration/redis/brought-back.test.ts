import { afterEach, expect, test } from '@jest/globals';
import { connectRedis, type Redis } from '#core/redis/connection.js';
import { layoutNow, OLD_REGISTRY, workWith } from '#core/redis/keys.js';
import { followLayout } from '#core/redis/layout.js';
import { defineScripts } from '#core/redis/scripts.js';
import { eventually } from '../../support/eventually.js';
import { aSale } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

let redis: Redis;

afterEach(() => {
  redis.disconnect();
  workWith('bucket');
});

test('a process notices a copy of Redis from before buckets when it connects again', async () => {
  redis = connectRedis(t.redisUrl, 'steps', () => undefined);
  defineScripts(redis);
  workWith('sale');
  followLayout(redis);
  await eventually(() => expect(layoutNow()).toBe('bucket'));
  await t.redis.flushall();
  await t.redis.hset(OLD_REGISTRY, aSale().id, 1);
  redis.disconnect(true);
  await eventually(() => expect(layoutNow()).toBe('sale'), 10_000);
});
