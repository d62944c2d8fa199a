import { expect, test } from '@jest/globals';
import { rescue } from '#core/maintenance/rescue.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { enqueuePlaceWaiting } from '#core/queue/enqueue.js';
import { QUEUE_PREFIX } from '#core/queue/queues.js';
import { placingKeyOf } from '#core/redis/keys.js';
import { PLACE_BATCH_MAX } from '#core/rules/claim.js';
import { placeWaiting } from '#core/steps/place-waiting.js';
import { eventually } from '../../support/eventually.js';
import { beforeScript } from '../../support/meanwhile.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { forceClaim } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const orderCount = (saleId: string) => t.db.order.count({ where: { saleId } });
const outboxOf = async (saleId: string) => [...((await readSnapshot(t.redis, saleId))?.outbox.keys() ?? [])];

test('one job places every claim of its sale, of several batches, and none of another sale', async () => {
  const [sale, other] = [await openTestSale(t, { units: 1_200 }), await openTestSale(t)];
  for (let part = 0; part < 12; part += 1) await win(t, sale, ...buyers(100, `part${part}-`));
  await winOne(t, other, 'a');
  await placeWaiting(t, { saleId: sale.id });
  expect([await orderCount(sale.id), await orderCount(other.id)]).toEqual([1_200, 0]);
  expect([await outboxOf(sale.id), await outboxOf(other.id)]).toEqual([[], ['a']]);
});

test('a claim that is won while the others are placed is placed too', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'early');
  let isLate = false;
  const meanwhile = beforeScript(t, 'record-status', async () => {
    if (!isLate) await winOne(t, sale, 'late');
    isLate = true;
  });
  await placeWaiting(meanwhile, { saleId: sale.id });
  expect(await orderCount(sale.id)).toBe(2);
  expect(await outboxOf(sale.id)).toEqual([]);
});

test('full pages of claims that stay in the outbox keep the job neither from later claims nor from its end', async () => {
  const sale = await openTestSale(t, { units: PLACE_BATCH_MAX + 1 });
  const staying = buyers(PLACE_BATCH_MAX, 'stays').map((buyerId, i) => aClaim({ buyerId, unit: i + 2 }));
  // Neither an order nor a release takes an ended claim out of the outbox.
  for (const claim of staying) await forceClaim(t, sale.id, claim, { status: 'rejected' });
  await insertTombstones(t.db, { saleId: sale.id, claims: staying, reason: 'lost' });
  const later = await winOne(t, sale, 'later');
  await placeWaiting(t, { saleId: sale.id });
  expect(await t.db.order.findUnique({ where: { id: later.claimId } })).toMatchObject({ status: 'pending_payment' });
  expect(await outboxOf(sale.id)).toHaveLength(PLACE_BATCH_MAX);
});

test('two workers at once place every claim once', async () => {
  const sale = await openTestSale(t, { units: 600 });
  for (let part = 0; part < 6; part += 1) await win(t, sale, ...buyers(100, `part${part}-`));
  await Promise.all([placeWaiting(t, { saleId: sale.id }), placeWaiting(t, { saleId: sale.id })]);
  expect(await orderCount(sale.id)).toBe(600);
  expect(await outboxOf(sale.id)).toEqual([]);
});

test('a claim is placed whose own job found another one at work after its last page', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'early');
  let isLate = false;
  const ending = beforeScript(t, 'del', async () => {
    if (isLate) return;
    isLate = true;
    await winOne(t, sale, 'late');
    await placeWaiting(t, { saleId: sale.id });
    expect(await outboxOf(sale.id)).toEqual(['late']);
  });
  await placeWaiting(ending, { saleId: sale.id });
  expect(isLate).toBe(true);
  expect(await outboxOf(sale.id)).toEqual([]);
});

test('a job that finds another worker at work does not keep the next claim from adding a job', async () => {
  const sale = await openTestSale(t);
  await enqueuePlaceWaiting(t.queues, { saleId: sale.id });
  await t.redis.set(placingKeyOf(sale.id), 1, 'PX', 60_000);
  await placeWaiting(t, { saleId: sale.id });
  await enqueuePlaceWaiting(t.queues, { saleId: sale.id });
  const jobs = await t.queues.of('')['place-waiting'].getWaiting();
  expect(jobs.filter(({ data }) => data.saleId === sale.id)).toHaveLength(2);
});

test('rescue leaves the claims of a sale to the worker that is placing them, for 2 s after its last batch', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'a');
  const rescued: number[] = [];
  const busy = beforeScript(t, 'record-status', async () => {
    rescued.push(await rescue(t, sale.id, 0));
    expect(await t.redis.pttl(placingKeyOf(sale.id))).toBeGreaterThan(0);
    // A worker that is killed now would leave the same.
    await t.redis.pexpire(placingKeyOf(sale.id), 0);
    rescued.push(await rescue(t, sale.id, 0));
  });
  await placeWaiting(busy, { saleId: sale.id });
  expect(rescued).toEqual([0, 1]);
});

test('after a job that failed, others of its sale end at once for a moment, and then the claims are placed', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'a');
  const failing = beforeScript(t, 'record-status', () => Promise.reject(new Error('Redis is away')));
  await expect(placeWaiting(failing, { saleId: sale.id })).rejects.toThrow('Redis is away');
  await writesNothing(t.redis, () => placeWaiting(t, { saleId: sale.id }));
  await eventually(async () => expect(await t.redis.exists(placingKeyOf(sale.id))).toBe(0));
  await placeWaiting(t, { saleId: sale.id });
  expect(await outboxOf(sale.id)).toEqual([]);
});

test('a busy sale leaves its worker to others after a while, and gets another turn', async () => {
  const sale = await openTestSale(t, { units: 1_000 });
  let won = 0;
  const busy = beforeScript(t, 'record-status', () => winOne(t, sale, `busy-${++won}`));
  await winOne(t, sale, 'first');
  await placeWaiting(busy, { saleId: sale.id });
  expect(won).toBeLessThan(1_000);
  expect(await outboxOf(sale.id)).toHaveLength(1);
  expect(await t.redis.exists(placingKeyOf(sale.id))).toBe(0);
  const jobs = await t.queues.of('')['place-waiting'].getWaiting();
  expect(jobs.map(({ data }) => data)).toContainEqual({ saleId: sale.id });
});

test('while a job runs, the next claim adds another one: its worker may be killed any time', async () => {
  const sale = await openTestSale(t);
  await winOne(t, sale, 'a');
  await enqueuePlaceWaiting(t.queues, { saleId: sale.id });
  await t.redis.lmove(`${QUEUE_PREFIX}:place-waiting:wait`, `${QUEUE_PREFIX}:place-waiting:active`, 'LEFT', 'LEFT');
  const running = beforeScript(t, 'record-status', () => enqueuePlaceWaiting(t.queues, { saleId: sale.id }));
  await placeWaiting(running, { saleId: sale.id });
  const jobs = await t.queues.of('')['place-waiting'].getWaiting();
  expect(jobs.map(({ data }) => data)).toContainEqual({ saleId: sale.id });
});

test('a batch that fails does not end the job before the other batches have ended', async () => {
  const sale = await openTestSale(t, { units: PLACE_BATCH_MAX + 1 });
  for (let part = 0; part < 6; part += 1) {
    await win(t, sale, ...buyers(Math.min(100, PLACE_BATCH_MAX + 1 - 100 * part), `part${part}-`));
  }
  let calls = 0;
  const failing = beforeScript(t, 'record-status', async () => {
    calls += 1;
    if (calls === 1) throw new Error('Redis is away');
  });
  await expect(placeWaiting(failing, { saleId: sale.id })).rejects.toThrow('Redis is away');
  expect(calls).toBe(2);
  expect(await orderCount(sale.id)).toBe(PLACE_BATCH_MAX + 1);
});

test('jobs of one sale are one as long as it waits, and those of another sale come beside it', async () => {
  const [sale, other] = [await openTestSale(t), await openTestSale(t)];
  for (const { id } of [sale, sale, other, sale]) await enqueuePlaceWaiting(t.queues, { saleId: id });
  const jobs = await t.queues.of('')['place-waiting'].getWaiting();
  const saleIds = jobs.map(({ data }) => data.saleId).filter(saleId => [sale.id, other.id].includes(saleId));
  expect(saleIds.sort()).toEqual([sale.id, other.id].sort());
});
