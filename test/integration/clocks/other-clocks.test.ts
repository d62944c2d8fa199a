import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { checkout } from '#core/process/checkout.js';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import { SECOND_MS } from '#core/rules/clock.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { type App, startApp } from '../../support/processes/app.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// The clock of a worker differs from those of Redis and Postgres by an hour. The deadline of an order is Postgres's.

const HOUR_MS = 3_600 * SECOND_MS;
const SHIFTED = pathToFileURL(join(checkout, 'test/support/processes/shifted-clock.mjs')).href;

const t = useStores();
let worker: App;
beforeAll(build);
afterEach(() => worker?.process.kill());

test.each([
  ['ahead', HOUR_MS],
  ['behind', -HOUR_MS],
])('a worker whose clock is an hour %s cancels an unpaid order at its deadline, and not before', async (name, ms) => {
  worker = await startApp('worker', {
    REDIS_URL: t.redisUrl,
    DATABASE_URL: t.databaseUrl,
    NODE_OPTIONS: `--import=${SHIFTED}?ms=${ms}`,
  });
  await worker.untilSaid(/"msg":"worker ready"/);
  const [, time] = /"time":(\d+)/.exec(worker.said()) ?? [];
  expect(Math.round((Number(time) - Date.now()) / HOUR_MS)).toBe(ms / HOUR_MS);

  const sale = await openTestSale(t, { payWithinSeconds: 6 });
  const claim = await winOne(t, sale, name);
  await enqueuePlaceWaiting(t.queues, { saleId: sale.id });
  // The wait is far shorter than an hour.
  await eventually(async () => {
    expect(await t.db.order.findUnique({ where: { id: claim.claimId } })).toMatchObject({ status: 'cancelled' });
  });
  const order = await t.db.order.findUniqueOrThrow({ where: { id: claim.claimId } });
  expect(order.reason).toBe('unpaid');
  expect(order.cancelledAt?.getTime()).toBeGreaterThanOrEqual(order.payBy.getTime());
});
