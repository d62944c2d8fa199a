import { expect, test } from '@jest/globals';
import { RESCUE_AFTER_MS, rescue } from '#core/maintenance/rescue.js';
import { beginPlacing } from '#core/redis/claims/outbox.js';
import { keysOf } from '#core/redis/keys.js';
import { openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A worker may fail each time that it places the claims of a sale, while buyers win more of them.

const t = useStores();

test('younger claims do not keep rescue from one of 8 s that the worker of its sale leaves behind', async () => {
  const sale = await openTestSale(t);
  await win(t, sale, 'old', 'young');
  expect(await beginPlacing(t.redis, sale.id)).toBe(true);
  const { outbox } = keysOf(sale.id);
  await t.redis.zincrby(outbox, -RESCUE_AFTER_MS, 'young');
  await t.redis.zincrby(outbox, -8_000, 'old');
  expect(await rescue(t, sale.id)).toBe(2);
  expect(await t.redis.zcard(outbox)).toBe(0);
});
