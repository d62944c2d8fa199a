import { expect, test } from '@jest/globals';
import type { Queues, ShardQueues } from '#core/queue/queues.js';
import { placingKeyOf } from '#core/redis/keys.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { beforeScript } from '../../support/meanwhile.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('a busy sale is let go before its next turn is queued, as the job of that turn may begin at once', async () => {
  const sale = await openTestSale(t, { units: 1_000 });
  const placing: number[] = [];
  const queue = {
    removeDeduplicationKey: async () => undefined,
    add: async () => placing.push(await t.redis.exists(placingKeyOf(sale.id))),
  };
  const all = { ...t.queues.of(sale.id), 'place-waiting': queue } as unknown as ShardQueues;
  const queues: Queues = { all: [all], of: () => all };
  let won = 0;
  const busy = beforeScript({ ...t, queues }, 'record-status', () => winOne(t, sale, `busy-${++won}`));
  await winOne(t, sale, 'first');
  await placeWaiting(busy, { saleId: sale.id });
  expect(placing).toEqual([0]);
});
