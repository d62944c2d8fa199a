import { beforeEach, describe, expect, test } from '@jest/globals';
import { connectDatabase } from '#core/postgres/database.js';
import { connectRedis } from '#core/redis/connection.js';
import { keysOf, REGISTRY_AT, registryKeys } from '#core/redis/keys.js';
import { Fullness } from '#core/redis/server/memory.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { reasonsAgainst } from '../../../apps/worker/readiness.js';
import { eventually } from '../../support/eventually.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { createEmptyDatabase } from '../../support/stores/shared-postgres.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Expects the reasons. A busy machine may answer a probe too late, so it is asked again. */
const expectReasons = (reasons: unknown[], probed: Partial<Parameters<typeof reasonsAgainst>[0]> = {}) =>
  eventually(async () =>
    expect(await reasonsAgainst({ ...t, fullness: [new Fullness(t.redis)], ...probed })).toEqual(reasons),
  );

async function comparedAgo(seconds: number) {
  const atMs = (await readRedisMs(t.redis)) - seconds * SECOND_MS;
  for (const key of registryKeys()) await t.redis.hset(key, REGISTRY_AT, atMs);
}

beforeEach(async () => {
  await t.redis.flushall();
  await comparedAgo(1);
});

test('a worker is ready while its stores answer and its work is done', async () => {
  await expectReasons([]);
});

describe('a worker is not ready', () => {
  test('before the first comparison', async () => {
    await t.redis.hdel(registryKeys().at(-1) ?? '', REGISTRY_AT);
    await expectReasons(['reconcile has never run to its end']);
  });

  test('after three comparisons that were missed', async () => {
    await comparedAgo(15);
    await expectReasons([]);
    await comparedAgo(100);
    await expectReasons([expect.stringMatching(/^reconcile has not run to its end for \d{3} s$/)]);
  });

  test('while a claim waits for its order for longer than any fault explains', async () => {
    const sale = await openTestSale(t);
    await winOne(t, sale, 'ann');
    const waitedFor = async (seconds: number) =>
      t.redis.zadd(keysOf(sale.id).outbox, (await readRedisMs(t.redis)) - seconds * SECOND_MS, 'ann');
    await waitedFor(20);
    await expectReasons([]);
    await waitedFor(100);
    await comparedAgo(100);
    await expectReasons([
      expect.stringMatching(/^reconcile has not run/),
      expect.stringMatching(/^claims have waited \d{3} s for their order$/),
    ]);
  });

  test('while Redis is away, by one reason', async () => {
    const redis = connectRedis('redis://127.0.0.1:1', 'steps', () => undefined);
    await expectReasons(['Redis does not answer'], { redis });
    redis.disconnect();
  });

  test('while Postgres is away, or has no tables', async () => {
    const away = connectDatabase('postgres://nobody@127.0.0.1:1/none', { connections: 1 });
    await expectReasons(['Postgres does not answer'], { db: away });
    const empty = connectDatabase(await createEmptyDatabase(), { connections: 1 });
    await expectReasons(['the database has no tables yet: run `npm run cli -- migrate` first'], { db: empty });
    await Promise.all([away.$disconnect(), empty.$disconnect()]);
  });
});
