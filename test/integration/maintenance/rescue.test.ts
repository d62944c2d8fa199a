import { expect, test } from '@jest/globals';
import { RESCUE_AFTER_MS, rescue, rescueAll } from '#core/maintenance/rescue.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { beginPlacing } from '#core/redis/claims/outbox.js';
import { keysOf } from '#core/redis/keys.js';
import { dropSale, setSale } from '#core/redis/sale/sale.js';
import { PLACE_BATCH_MAX } from '#core/rules/claim.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { forceClaim } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const orderCount = (saleId: string) => t.db.order.count({ where: { saleId } });

/** Backdates every claim of the outbox to the age at which rescue takes it. */
async function age(saleId: string): Promise<void> {
  const { outbox } = keysOf(saleId);
  for (const buyerId of await t.redis.zrange(outbox, '0', '-1')) {
    await t.redis.zincrby(outbox, -RESCUE_AFTER_MS, buyerId);
  }
}

test('an accepted claim without an order becomes an order', async () => {
  const sale = await openTestSale(t);
  const won = await winOne(t, sale, 'a');
  await age(sale.id);
  expect(await rescue(t, sale.id)).toBe(1);
  expect(await t.db.order.findUnique({ where: { id: won.claimId } })).toMatchObject({ status: 'pending_payment' });
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect(snapshot?.claims.get('a')?.status).toBe('pending_payment');
  expect(snapshot?.outbox.size).toBe(0);
});

test('a younger claim is left to its job', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'a');
  expect(await writesNothing(t.redis, () => rescue(t, sale.id))).toBe(0);
  expect(await orderCount(sale.id)).toBe(0);
});

test('Redis gets the status of a claim whose worker died after placing it', async () => {
  const sale = await openTestSale(t);
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  const keys = keysOf(sale.id);
  await t.redis.hset(keys.claims, 'a', `${won.claimId} 1 queued - -`);
  await t.redis.zadd(keys.outbox, 1, 'a');
  expect(await rescue(t, sale.id)).toBe(1);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')?.status).toBe('pending_payment');
  expect(await orderCount(sale.id)).toBe(1);
});

test('four rescues and the job at once place every claim once', async () => {
  const sale = await openTestSale(t, { units: 100 });
  const claims = await win(t, sale, ...buyers(100));
  const all = [...Array.from({ length: 4 }, () => rescue(t, sale.id, 0)), placeOrders(t, { saleId: sale.id, claims })];
  await Promise.all(all);
  expect(await orderCount(sale.id)).toBe(100);
  expect((await readSnapshot(t.redis, sale.id))?.outbox.size).toBe(0);
});

test('one run rescues several batches', async () => {
  const sale = await openTestSale(t, { units: 600 });
  for (let i = 0; i < 6; i += 1) await win(t, sale, ...buyers(100, `part${i}-`));
  expect(await rescue(t, sale.id, 0)).toBe(600);
  expect(await orderCount(sale.id)).toBe(600);
});

test('a full batch that stays in the outbox keeps rescue neither from later claims nor from its end', async () => {
  const sale = await openTestSale(t, { units: PLACE_BATCH_MAX + 1 });
  const staying = buyers(PLACE_BATCH_MAX, 'stays').map((buyerId, i) => aClaim({ buyerId, unit: i + 2 }));
  // Neither an order nor a release takes an ended claim out of the outbox.
  for (const claim of staying) await forceClaim(t, sale.id, claim, { status: 'rejected' });
  await insertTombstones(t.db, { saleId: sale.id, claims: staying, reason: 'lost' });
  const later = await winOne(t, sale, 'later');
  let tries = 0;
  const counting = beforeScript(t, 'release', async () => {
    tries += 1;
    if (tries > 1) throw new Error('the same claims are tried again');
  });
  expect(await rescue(counting, sale.id, 0)).toBe(PLACE_BATCH_MAX + 1);
  expect(await t.db.order.findUnique({ where: { id: later.claimId } })).toMatchObject({ status: 'pending_payment' });
  const snapshot = await readSnapshot(t.redis, sale.id);
  expect([snapshot?.outbox.size, snapshot?.outbox.has('later')]).toEqual([PLACE_BATCH_MAX, false]);
});

test('an unverified sale does not delay other sales', async () => {
  const sales = [await openTestSale(t), await openTestSale(t), await openTestSale(t)];
  for (const sale of sales) await winOne(t, sale, 'a');
  for (const sale of sales) await age(sale.id);
  const shut = sales[1]?.id ?? '';
  await setSale(t.redis, shut, { runId: 'another-run' });
  await expect(rescueAll(t)).rejects.toThrow(shut);
  for (const { id } of sales) expect((await readSnapshot(t.redis, id))?.outbox.size).toBe(id === shut ? 1 : 0);
  await dropSale(t.redis, shut);
});

test('a claim of 8 s is rescued although a worker places those of its sale: it may fail each time', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'a');
  expect(await beginPlacing(t.redis, sale.id)).toBe(true);
  await age(sale.id);
  expect(await rescue(t, sale.id)).toBe(0);
  await age(sale.id);
  expect(await rescue(t, sale.id)).toBe(1);
});
