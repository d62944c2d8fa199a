import { randomUUID } from 'node:crypto';
import { expect, jest, test } from '@jest/globals';
import { prune } from '#core/maintenance/prune.js';
import { pruneDeliveries } from '#core/postgres/deliveries/prune.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { isSessionRevoked, revokeSession } from '#core/postgres/revoked-sessions.js';
import { KEEP_DAYS } from '#core/postgres/sales.js';
import { prefixOf } from '#core/redis/keys.js';
import { isUnknown, markRegistryWhole, readLoadedSaleIds } from '#core/redis/registry.js';
import { readLoadedSale, readRunId } from '#core/redis/sale/sale.js';
import { releaseUnits } from '#core/steps/release-units.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const DAY_MS = 24 * 3_600_000;

test('a sale that ended long ago leaves Redis and stays in Postgres, and a recent one stays in both', async () => {
  const ended = (daysAgo: number) => ({
    opensAtMs: Date.now() - (daysAgo + 1) * DAY_MS,
    closesAtMs: Date.now() - daysAgo * DAY_MS,
  });
  const old = await openTestSale(t, ended(KEEP_DAYS + 0.1));
  const recent = await openTestSale(t, ended(KEEP_DAYS - 0.1));
  expect(await prune(t)).toBe(1);
  expect(await t.redis.keys(`${prefixOf(old.id)}*`)).toEqual([]);
  expect(await t.db.sale.count({ where: { id: old.id } })).toBe(1);
  expect((await readLoadedSale(t.redis, recent.id))?.remaining).toBe(3);
  expect(await prune(t)).toBe(0);
  await markRegistryWhole(t.redis, await readRunId(t.redis));
  expect(await isUnknown(t.redis, old.id)).toBe(true);
});

test('a sale stays until the days after the deadline of its last order', async () => {
  const days = (count: number) => Date.now() - count * DAY_MS;
  const window = { opensAtMs: days(KEEP_DAYS + 3), closesAtMs: days(KEEP_DAYS + 2) };
  const slow = await openTestSale(t, { ...window, payWithinSeconds: (3 * DAY_MS) / 1_000 });
  const quick = await openTestSale(t, { ...window, payWithinSeconds: DAY_MS / 1_000 });
  await prune(t);
  expect((await readLoadedSale(t.redis, slow.id))?.remaining).toBe(3);
  expect(await readLoadedSale(t.redis, quick.id)).toBeUndefined();
});

test('a worker with a wrong clock prunes no open sale', async () => {
  const sale = await openTestSale(t);
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + (KEEP_DAYS + 1) * DAY_MS);
  await prune(t).finally(() => jest.restoreAllMocks());
  expect((await readLoadedSale(t.redis, sale.id))?.remaining).toBe(3);
});

test('old delivered releases of an old sale are deleted, and undelivered ones stay', async () => {
  const longOver = Date.now() - (KEEP_DAYS + 0.1) * DAY_MS;
  const sale = await openTestSale(t);
  await releaseUnits(
    t,
    await insertTombstones(t.db, { saleId: sale.id, claims: [await winOne(t, sale, 'a')], reason: 'lost' }),
  );
  await releaseUnits(
    t,
    await insertTombstones(t.db, { saleId: sale.id, claims: [await winOne(t, sale, 'b')], reason: 'lost' }),
  );
  const [first] = await t.db.outboxEvent.findMany({ where: { saleId: sale.id }, orderBy: { id: 'asc' } });
  const longAgo = new Date(Date.now() - (KEEP_DAYS + 1) * DAY_MS);
  if (first) {
    await t.db.outboxEvent.update({ where: { id: first.id }, data: { createdAt: longAgo, deliveredAt: longAgo } });
  }
  await insertTombstones(t.db, { saleId: sale.id, claims: [await winOne(t, sale, 'c')], reason: 'lost' });
  await t.db.outboxEvent.updateMany({ where: { deliveredAt: null }, data: { createdAt: longAgo } });
  await prune(t);
  expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(3);
  await t.db.sale.update({
    where: { id: sale.id },
    data: { opensAt: new Date(longOver - DAY_MS), closesAt: new Date(longOver) },
  });
  await pruneDeliveries(t.db);
  const left = await t.db.outboxEvent.findMany({ where: { saleId: sale.id } });
  expect(left).toHaveLength(2);
  expect(left.map(event => event.id)).not.toContain(first?.id);
});

test('old notices leave in batches, also behind releases that are kept and many of the same age', async () => {
  const sale = await openTestSale(t);
  const insert = (kind: string, count: number, daysAgo: number) => t.db.$executeRaw`
    INSERT INTO outbox_events (kind, sale_id, order_id, payload, created_at, delivered_at)
    SELECT ${kind}, ${sale.id}, gen_random_uuid(), '{}', at, at
    FROM generate_series(1, ${count}::int), LATERAL (SELECT clock_timestamp() - ${daysAgo} * interval '1 day' AS at) moment`;
  await insert('release', 6_000, KEEP_DAYS + 1);
  await insert('order.placed', 6_000, KEEP_DAYS + 1);
  await insert('order.placed', 1_000, KEEP_DAYS - 1);
  await pruneDeliveries(t.db);
  const left = await t.db.outboxEvent.groupBy({ by: ['kind'], where: { saleId: sale.id }, _count: true });
  expect(Object.fromEntries(left.map(({ kind, _count }) => [kind, _count]))).toEqual({
    release: 6_000,
    'order.placed': 1_000,
  });
});

test('the revocation of a session is deleted a day after the session has ended', async () => {
  const endedDaysAgo = (days: number) => ({ id: randomUUID(), endsAt: new Date(Date.now() - days * DAY_MS) });
  const [recent, old] = [endedDaysAgo(0.9), endedDaysAgo(1.1)];
  for (const session of [recent, old]) await revokeSession(t.db, session);
  await prune(t);
  expect([await isSessionRevoked(t.db, recent.id), await isSessionRevoked(t.db, old.id)]).toEqual([true, false]);
});

test('a sale that is created during a run is not pruned', async () => {
  // With this many sales a read takes long enough for other sales to be created meanwhile.
  await t.db.$executeRaw`
    INSERT INTO sales (id, title, price_minor, currency, units, opens_at, closes_at, pay_within_seconds, settlement, standby_factor)
    SELECT 'many-' || n, 'Kettle', 1, 'EUR', 1, now(), now() + interval '1 hour', 60, 'deferred', 0 FROM generate_series(1, 20000) n`;
  let done = false;
  const pruning = (async () => {
    while (!done) await prune(t);
  })();
  const created = await Promise.all(Array.from({ length: 50 }, () => openTestSale(t))).finally(() => {
    done = true;
  });
  await pruning;
  expect(await readLoadedSaleIds(t.redis)).toEqual(expect.arrayContaining(created.map(sale => sale.id)));
  for (const { id } of created) expect((await readLoadedSale(t.redis, id))?.remaining).toBe(3);
});
