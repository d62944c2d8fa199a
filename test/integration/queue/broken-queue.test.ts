import { afterEach, describe, expect, test } from '@jest/globals';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { enqueueExpireDue } from '#core/queue/enqueue.js';
import { QUEUE_PREFIX } from '#core/queue/queues.js';
import { giveUp } from '#core/steps/give-up.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { promoteWaiting, releaseUnits } from '#core/steps/release-units.js';
import { tellOrder } from '#core/steps/tell-order.js';
import { readMetric } from '../../support/http/metrics.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// Queues only make things quicker: a step whose queue takes no job is done all the same.

const t = useStores();

const HOUR_MS = 3_600_000;
const keyOf = (queue: string, list: string) => `${QUEUE_PREFIX}:${queue}:${list}`;
const LISTS = [keyOf('expire-due', 'delayed'), keyOf('place-waiting', 'wait')];

afterEach(() => t.redis.del(...LISTS));

/** Makes queues refuse jobs, by lists of another type. */
async function breakQueues(): Promise<void> {
  for (const list of LISTS) {
    await t.redis.del(list);
    await t.redis.set(list, 'another type');
  }
}

describe('while the queue takes no job', () => {
  test('orders are placed, and Redis shows them', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'ann');
    await breakQueues();
    await placeOrders(t, { saleId: sale.id, claims: [won] });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.claims.get('ann')?.status, snapshot?.outbox.size]).toEqual(['pending_payment', 0]);
  });

  test('a unit goes to the first on standby, whose claim is in the outbox', async () => {
    const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
    const [won] = await win(t, sale, 'ann', 'bob');
    if (!won) throw new Error('ann should have won');
    await breakQueues();
    await releaseUnits(t, await cancelRow(t.db, sale.id, won));
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.claims.get('bob')?.status, snapshot?.outbox.has('bob')]).toEqual(['queued', true]);
    const [event] = await t.db.outboxEvent.findMany({ where: { saleId: sale.id } });
    expect(event?.deliveredAt).not.toBeNull();
    expect(await promoteWaiting(t, sale.id)).toEqual([]);
  });
});

test('orders whose time to pay ends in one second expire by one job, after the last deadline', async () => {
  const sale = await openTestSale(t, { payWithinSeconds: 3_600 });
  const other = await openTestSale(t, { payWithinSeconds: 3_600 });
  const claims = [await winOne(t, sale, 'ann'), await winOne(t, other, 'bob')];
  await t.queues.of('')['expire-due'].obliterate();
  const second = 1_000 * Math.ceil((Date.now() + HOUR_MS) / 1_000);
  for (const payByMs of [second - 999, second, second + 1]) await enqueueExpireDue(t.queues, 'a-sale', payByMs);
  const delayed = await t.queues.of('')['expire-due'].getDelayed();
  expect(delayed.map(({ data }) => data.dueAtMs).sort()).toEqual([second, second + 1_000]);
  for (const { data, timestamp, delay } of delayed) expect(timestamp + delay).toBeGreaterThan(data.dueAtMs);

  for (const [i, claim] of claims.entries()) {
    await placeOrders(t, { saleId: i === 0 ? sale.id : other.id, claims: [claim] });
  }
  const orders = await t.db.order.findMany({ where: { id: { in: claims.map(({ claimId }) => claimId) } } });
  const due = new Set((await t.queues.of('')['expire-due'].getDelayed()).map(({ data }) => data.dueAtMs));
  for (const { payBy } of orders) expect(due).toContain(1_000 * Math.ceil(payBy.getTime() / 1_000));
});

test('only claims that are given up are reported to the operator', async () => {
  const sale = await openTestSale(t);
  const [placed, lost] = await win(t, sale, 'ann', 'bob');
  if (!placed || !lost) throw new Error('both should have won');
  await placeOrders(t, { saleId: sale.id, claims: [placed] });
  const metric = 'dropline_claims_given_up_total{why="lost"}';
  const before = await readMetric(metric);
  const releases = await giveUp(t, { saleId: sale.id, claims: [placed, lost], why: 'lost' });
  expect(releases.map(({ claimId }) => claimId)).toEqual([lost.claimId]);
  expect(await giveUp(t, { saleId: sale.id, claims: [placed, lost], why: 'lost' })).toEqual([]);
  expect(await readMetric(metric)).toBe(before + 1);
});

describe('telling Redis of an order', () => {
  const claimOf = async (saleId: string) => (await readSnapshot(t.redis, saleId))?.claims.get('ann');

  test('keeps no reason of a refused payment once the order is paid', async () => {
    const sale = await openTestSale(t);
    const { claimId } = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [{ claimId, buyerId: 'ann', unit: 1 }] });
    const told = { saleId: sale.id, claimId, buyerId: 'ann', reason: 'payment_refused' as const };
    await tellOrder(t, told);
    expect(await claimOf(sale.id)).toMatchObject({ status: 'pending_payment', reason: 'payment_refused' });
    await t.db.$executeRaw`UPDATE orders SET status = 'paid', paid_at = clock_timestamp(), version = version + 1
      WHERE id = ${claimId}::uuid`;
    await tellOrder(t, told);
    expect(await claimOf(sale.id)).toMatchObject({ status: 'paid' });
    expect((await claimOf(sale.id))?.reason).toBeUndefined();
  });

  test('says nothing of an ended order, or to another buyer', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [won] });
    const before = await claimOf(sale.id);
    await tellOrder(t, { saleId: sale.id, claimId: won.claimId, buyerId: 'bob', reason: 'payment_refused' });
    await cancelRow(t.db, sale.id, won);
    await tellOrder(t, { saleId: sale.id, claimId: won.claimId, buyerId: 'ann', reason: 'payment_refused' });
    expect(await claimOf(sale.id)).toEqual(before);
  });
});
