import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { claim } from '#core/redis/claims/claim.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { eventually } from '../../support/eventually.js';
import { locksOf, useCluster } from '../../support/redis/cluster.js';
import { aSale } from '../../support/sales.js';

const c = useCluster();

test('a group holds as many units as it may, and its other members leave no lock', async () => {
  const sale = aSale({ onePurchaseAtATime: true, units: 50, perGroup: 2 });
  await openSale(c.redis, sale);
  const apis = [c.redis, await c.connect(), await c.connect()];
  const members = Array.from({ length: 60 }, () => `buyer-${randomUUID()}`);
  const outcomes = await Promise.all(
    members.map(async (buyerId, i) => {
      const [outcome] = await claim(apis[i % 3] ?? c.redis, sale.id, [
        { buyerId, group: 'home', claimId: randomUUID() },
      ]);
      return outcome?.kind;
    }),
  );
  expect(outcomes.filter(kind => kind === 'won')).toHaveLength(2);
  expect((await readLoadedSale(c.redis, sale.id))?.remaining).toBe(48);
  for (const [i, buyerId] of members.entries()) {
    if (outcomes[i] !== 'group_limit') continue;
    const keys = Object.values(locksOf(buyerId));
    await eventually(async () =>
      expect(await Promise.all(keys.map(key => c.redis.of(buyerId).type(key)))).toEqual(['none', 'none']),
    );
  }
  expect(outcomes.filter(kind => kind === 'group_limit').length).toBeGreaterThan(0);
});
