import { expect, test } from '@jest/globals';
import pLimit from 'p-limit';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import { QUEUE_PREFIX } from '#core/queue/queues.js';
import { startJobWorker } from '#core/queue/worker.js';
import { connectRedis } from '#core/redis/connection.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { eventually } from '../../support/eventually.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('a job that lost its lock during a run is repeated, and its work is not compensated', async () => {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, ...buyers(3));
  const connection = connectRedis(t.redisUrl, 'worker', () => undefined);
  const seen = { runs: 0, failed: 0, errors: [] as string[] };
  const loseLocks = async () => {
    for (const key of await t.redis.keys(`${QUEUE_PREFIX}:place-waiting:*:lock`)) await t.redis.del(key);
  };
  const worker = startJobWorker(
    'place-waiting',
    async data => {
      seen.runs += 1;
      await placeWaiting(t, data);
      // A process that was stopped for longer than the lock lasts would lose it.
      if (seen.runs === 1) await loseLocks();
    },
    {
      connection,
      limit: pLimit(1),
      observer: {
        onDone: () => undefined,
        onFailed: () => {
          seen.failed += 1;
        },
        onError: error => void seen.errors.push(error.message),
      },
    },
  );
  try {
    await enqueuePlaceWaiting(t.queues, { saleId: sale.id });
    await eventually(() => expect(seen.errors.join()).toContain('Missing lock'));
    // BullMQ looks for stalled jobs every 5 s, and reports one at its second look.
    await eventually(() => expect(seen.runs).toBe(2));
    await eventually(async () => expect(await t.queues.of('')['place-waiting'].getCompletedCount()).toBe(1));
  } finally {
    await worker.close();
    connection.disconnect();
  }
  expect(seen.failed).toBe(0);
  const orders = await t.db.order.findMany({ where: { saleId: sale.id }, orderBy: { unit: 'asc' } });
  expect(orders.map(({ id, status, version }) => [id, status, version])).toEqual(
    claims.map(({ claimId }) => [claimId, 'pending_payment', 1]),
  );
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(0);
  const snapshot = await readSnapshot(t.redis, sale.id);
  for (const { buyerId } of claims) expect(snapshot?.claims.get(buyerId)?.status).toBe('pending_payment');
});
