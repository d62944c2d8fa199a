import { expect, test } from '@jest/globals';
import { readDueReleases } from '#core/postgres/deliveries/due-releases.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { prefixOf } from '#core/redis/keys.js';
import { readLoadedSale, setSale } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import { releaseUnits } from '#core/steps/release-units.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const undelivered = async (saleId: string) =>
  (await readDueReleases(t.db, { olderThanMs: 0, limit: 1_000, afterId: 0n })).filter(event => event.saleId === saleId);

test('a decided release is carried out and marked as delivered', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  const events = await insertTombstones(t.db, { saleId: sale.id, claims: [won], reason: 'not_placed' });
  expect(await undelivered(sale.id)).toEqual(events);
  await releaseUnits(t, events);
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
  expect(await undelivered(sale.id)).toEqual([]);
});

test('a second run changes nothing in Redis', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const events = await insertTombstones(t.db, {
    saleId: sale.id,
    claims: [await winOne(t, sale, 'a')],
    reason: 'not_placed',
  });
  await releaseUnits(t, events);
  await winOne(t, sale, 'a');
  await writesNothing(t.redis, () => releaseUnits(t, events));
});

test('four runs at once free each unit once', async () => {
  const sale = await openTestSale(t, { units: 3 });
  const events = await insertTombstones(t.db, {
    saleId: sale.id,
    claims: await win(t, sale, 'a', 'b', 'c'),
    reason: 'not_placed',
  });
  await Promise.all(Array.from({ length: 4 }, () => releaseUnits(t, events)));
  expect((await readSnapshot(t.redis, sale.id))?.stock.sort()).toEqual([1, 2, 3]);
});

test('releases of several sales reach their own sale', async () => {
  const sales = [await openTestSale(t, { units: 1 }), await openTestSale(t, { units: 1 })];
  const events = [];
  for (const sale of sales)
    events.push(
      ...(await insertTombstones(t.db, { saleId: sale.id, claims: [await winOne(t, sale, 'a')], reason: 'lost' })),
    );
  await releaseUnits(t, events);
  for (const sale of sales) expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
});

test('a promoted claim gets a job to be placed', async () => {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
  const [won] = await win(t, sale, 'a', 'b');
  await releaseUnits(
    t,
    await insertTombstones(t.db, { saleId: sale.id, claims: won ? [won] : [], reason: 'not_placed' }),
  );
  const jobs = await t.queues.of('')['place-waiting'].getWaiting();
  expect(jobs.map(job => job.data)).toContainEqual({ saleId: sale.id });
});

test('a release of an unverified sale stays for later', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const runId = (await readLoadedSale(t.redis, sale.id))?.runId ?? '';
  const events = await insertTombstones(t.db, {
    saleId: sale.id,
    claims: [await winOne(t, sale, 'a')],
    reason: 'not_placed',
  });
  await setSale(t.redis, sale.id, { runId: 'another-run' });
  await expect(releaseUnits(t, events)).rejects.toMatchObject({ errors: [expect.any(NotVerified)] });
  expect(await undelivered(sale.id)).toEqual(events);
  await setSale(t.redis, sale.id, { runId });
  await releaseUnits(t, events);
  expect(await undelivered(sale.id)).toEqual([]);
});

test('a sale that left Redis does not delay the releases of another sale', async () => {
  const [gone, here] = [await openTestSale(t, { units: 1 }), await openTestSale(t, { units: 1 })];
  const events = [
    ...(await insertTombstones(t.db, { saleId: gone.id, claims: [await winOne(t, gone, 'a')], reason: 'not_placed' })),
    ...(await insertTombstones(t.db, { saleId: here.id, claims: [await winOne(t, here, 'a')], reason: 'not_placed' })),
  ];
  await t.redis.del(`${prefixOf(gone.id)}:sale`);
  await expect(releaseUnits(t, events)).rejects.toMatchObject({ errors: [expect.any(NotVerified)] });
  expect((await readSnapshot(t.redis, here.id))?.stock).toEqual([1]);
  expect(await undelivered(here.id)).toEqual([]);
  expect(await undelivered(gone.id)).toHaveLength(1);
});
