import { expect, test } from '@jest/globals';
import { outboxAgeMs } from '#core/redis/claims/outbox.js';
import { keysOf } from '#core/redis/keys.js';
import { Fullness } from '#core/redis/server/memory.js';
import { reasonsAgainst } from '../../../apps/worker/readiness.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// Claims that wait for their order while Postgres takes none.

const t = useStores();

const WAITED = /^claims have waited [3-9]\d s for their order$/;

test('every worker reports a claim that has waited for 30 s, and so does the metric', async () => {
  expect(await outboxAgeMs(t.redis)).toBe(0);
  const sale = await openTestSale(t, { units: 2 });
  await winOne(t, sale, 'young');
  const fullness = [new Fullness(t.redis)];
  expect(await reasonsAgainst({ ...t, fullness })).not.toContainEqual(expect.stringMatching(WAITED));
  await winOne(t, sale, 'old');
  await t.redis.zincrby(keysOf(sale.id).outbox, -31_000, 'old');
  expect(await outboxAgeMs(t.redis)).toBeGreaterThanOrEqual(31_000);
  expect(await reasonsAgainst({ ...t, fullness })).toContainEqual(expect.stringMatching(WAITED));
});
