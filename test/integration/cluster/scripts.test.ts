import { expect, test } from '@jest/globals';
import { allKeysOf } from '#core/redis/keys.js';
import { openSale } from '#core/redis/sale/open-sale.js';
import { runScript } from '#core/redis/scripts.js';
import { useCluster } from '../../support/redis/cluster.js';
import { aSale } from '../../support/sales.js';

const c = useCluster(1);

test('on a Redis Cluster a script gets its own keys and arguments, whatever else it names', async () => {
  const sale = aSale();
  expect(await openSale(c.redis, sale)).toBe(true);
  const args = ['ann rest-of-a-claim-id'];
  expect(await runScript(c.redis.of(sale.id), 'claim', { keys: allKeysOf(sale.id), args })).toMatchObject({ 4: 1 });
});
