import { beforeAll, expect, test } from '@jest/globals';
import { enqueuePlaceOrders } from '#core/queue/enqueue.js';
import { readSnapshot } from '#core/redis/sale/snapshot.js';
import { freePort } from '#stack/processes/free-port.js';
import { startProcess } from '#stack/processes/process.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { countBlocked } from '../../support/stores/blocked.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();
beforeAll(build);

test('on SIGTERM a worker finishes the job in flight, and ends with 0', async () => {
  const port = String(await freePort());
  const worker = await startProcess({
    name: 'worker',
    environment: { REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl, METRICS_PORT: port, LOG_LEVEL: 'info' },
    ready: { url: `http://127.0.0.1:${port}/readyz` },
  });
  try {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'ann');
    await t.db.$transaction(async tx => {
      await tx.$executeRaw`LOCK TABLE orders IN SHARE MODE`;
      await enqueuePlaceOrders(t.queues, { saleId: sale.id, claims: [won] });
      await eventually(async () => expect(await countBlocked(t.db, '%INSERT INTO orders%')).toBe(1));
      process.kill(worker.pid, 'SIGTERM');
      await eventually(() => expect(worker.output()).toContain('"ending"'));
    });
    expect(await worker.ended).toMatchObject({ code: 0 });
    expect(await t.db.order.count({ where: { id: won.claimId, status: 'pending_payment' } })).toBe(1);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.claims.get('ann')?.status, snapshot?.outbox.size]).toEqual(['pending_payment', 0]);
    expect(await t.queues['place-orders'].getActiveCount()).toBe(0);
  } finally {
    await worker.kill();
  }
});
