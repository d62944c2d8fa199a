import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { keysOf } from '#core/redis/keys.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { build } from '../../support/build.js';
import { eventually } from '../../support/eventually.js';
import { type App, startApp } from '../../support/processes/app.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { countBlocked } from '../../support/stores/blocked.js';
import { useStores } from '../../support/stores/stores.js';

// A worker gets a real SIGTERM while rounds of its actors are under way. Each has changed one store, and not yet the other.

/** The lock of the test lasts until the worker has been asked to end, however slow the machine. In ms. */
const LOCK_MS = 60_000;

const t = useStores();
let worker: App;

beforeAll(build);
afterEach(() => worker?.process.kill());

test('a worker waits for its rounds of expiry and rescue, leaves none half done, and ends with 0', async () => {
  // No job does the work of the rounds.
  await t.queues.of('')['expire-due'].pause();
  worker = await startApp('worker', { REDIS_URL: t.redisUrl, DATABASE_URL: t.databaseUrl });
  await worker.untilSaid(/"msg":"worker ready"/);
  const sale = await openTestSale(t, { units: 2, payWithinSeconds: 1 });
  const late = await winOne(t, sale, 'late');
  await placeOrders(t, { saleId: sale.id, claims: [late] });
  await t.db.$transaction(
    async held => {
      await held.$executeRaw`LOCK TABLE orders IN EXCLUSIVE MODE`;
      await winOne(t, sale, 'left');
      await t.redis.zadd(keysOf(sale.id).outbox, 1, 'left');
      await eventually(async () => {
        // A transaction that says nothing for 10 s is ended.
        await held.$queryRaw`SELECT 1`;
        expect(await countBlocked(t.db, '%WITH overdue AS%')).toBe(1);
        expect(await countBlocked(t.db, '%INSERT INTO orders%')).toBe(1);
      });
      process.kill(worker.process.pid, 'SIGTERM');
      await worker.untilSaid(/"msg":"ending"/);
    },
    { timeout: LOCK_MS, maxWait: LOCK_MS },
  );
  expect(await worker.process.ended).toEqual({ code: 0, signal: null });
  expect(worker.said()).toMatch(/"inOrder":true.*"msg":"ended"/);

  const orders = await t.db.order.findMany({ where: { saleId: sale.id } });
  const statusOf = (buyerId: string) => orders.find(order => order.buyerId === buyerId)?.status;
  const snapshot = await readSnapshot(t.redis, sale.id);
  const recordOf = (buyerId: string) => snapshot?.claims.get(buyerId)?.status;
  const done = {
    late: { order: statusOf('late'), record: recordOf('late'), isFree: snapshot?.stock.includes(late.unit) },
    left: { order: statusOf('left'), record: recordOf('left'), isWaiting: snapshot?.outbox.has('left') },
  };
  // On a busy machine a round has waited too long for the lock: then it has done nothing.
  expect([
    { order: 'cancelled', record: 'cancelled', isFree: true },
    { order: 'pending_payment', record: 'pending_payment', isFree: false },
  ]).toContainEqual(done.late);
  expect([
    { order: 'pending_payment', record: 'pending_payment', isWaiting: false },
    { order: undefined, record: 'queued', isWaiting: true },
  ]).toContainEqual(done.left);
  const [leases] = await t.db.$queryRaw<
    object[]
  >`SELECT count(*)::int AS held FROM actor_leases WHERE until > clock_timestamp()`;
  expect(leases).toEqual({ held: 0 });
});
