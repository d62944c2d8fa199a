import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { keysOf } from '#core/redis/keys.js';
import { readRedisMs } from '../../support/redis/clock.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Audits a sale with a claim that has waited for its order for some time, by Redis's clock. */
async function auditedAfter(waitedMs: number): Promise<string[] | undefined> {
  const sale = await openTestSale(t, { units: 1 });
  const { buyerId } = await winOne(t, sale, 'waits');
  await t.redis.zadd(keysOf(sale.id).outbox, 'XX', (await readRedisMs(t.redis)) - waitedMs, buyerId);
  return (await audit(t.db, t.redis, sale.id))?.violations;
}

test('a claim that has waited for its order for more than 15 s is a violation', async () => {
  expect(await auditedAfter(15_001)).toEqual(['I6 the claim of waits has waited for its order for more than 15 s']);
});

// Time passes between the claim and the audit, for which 5 s are left.
test('a claim that has waited for less is none', async () => {
  expect(await auditedAfter(10_000)).toEqual([]);
});
