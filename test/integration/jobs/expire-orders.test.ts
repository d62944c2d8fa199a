import { expect, jest, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { expireRows, readOverdue } from '#core/postgres/orders/end-orders.js';
import type { Claim } from '#core/rules/claim.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const idsOf = (claims: Claim[]): string[] => claims.map(claim => claim.claimId);
const statusesOf = async (saleId: string) => (await t.db.order.findMany({ where: { saleId } })).map(o => o.status);

test('an overdue order is cancelled, and its unit and its buyer are free', async () => {
  const sale = await openTestSale(t, { units: 1 });
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await backdateDeadlines(t, [won]);
  expect(await expireOrders(t, { claimIds: [won.claimId] })).toBe(1);
  expect(await t.db.order.findUnique({ where: { id: won.claimId } })).toMatchObject({
    status: 'cancelled',
    reason: 'unpaid',
    cancelledAt: expect.any(Date),
  });
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('a')).toMatchObject({
    status: 'cancelled',
    reason: 'unpaid',
  });
  expect((await winOne(t, sale, 'a')).unit).toBe(1);
});

test('the release is stored with the cancellation, and marked as delivered', async () => {
  const sale = await openTestSale(t);
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await backdateDeadlines(t, [won]);
  await expireOrders(t, { claimIds: [won.claimId] });
  const [event, ...more] = await t.db.outboxEvent.findMany({ where: { saleId: sale.id } });
  expect(more).toEqual([]);
  expect(event).toMatchObject({ orderId: won.claimId, deliveredAt: expect.any(Date) });
});

test('the first on standby gets the unit, and a job to place the claim', async () => {
  const sale = await openTestSale(t, { units: 1, standbyFactor: 1 });
  const [won] = await win(t, sale, 'a', 'b');
  if (!won) throw new Error('a should have won');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  await backdateDeadlines(t, [won]);
  await expireOrders(t, { claimIds: [won.claimId] });
  const promoted = (await readSnapshot(t.redis, sale.id))?.claims.get('b');
  expect(promoted).toMatchObject({ unit: 1, status: 'queued' });
  const jobs = await t.queues.of('')['place-waiting'].getWaiting();
  expect(jobs.map(job => job.data)).toContainEqual({ saleId: sale.id });
});

test('an order is kept until it is due by the clock of Postgres', async () => {
  const sale = await openTestSale(t);
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  expect(await expireOrders(t, { claimIds: [won.claimId] })).toBe(0);
  await t.db.$executeRaw`UPDATE orders SET version = version + 1,
    pay_by = clock_timestamp() + interval '300 ms' WHERE id = ${won.claimId}::uuid`;
  await eventually(async () => expect(await expireOrders(t, { claimIds: [won.claimId] })).toBe(1));
  const order = await t.db.order.findUniqueOrThrow({ where: { id: won.claimId } });
  expect(order.cancelledAt?.getTime()).toBeGreaterThanOrEqual(order.payBy.getTime());
});

test('an order with time left is neither read nor cancelled, whatever the queue says', async () => {
  const sale = await openTestSale(t);
  const won = await winOne(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims: [won] });
  const { claimId, buyerId } = won;
  const { payBy } = await t.db.order.findUniqueOrThrow({ where: { id: claimId } });
  expect(await readOverdue(t.db, { limit: 2, claimIds: [claimId] })).toEqual([]);
  expect(await expireRows(t.db, [{ claimId, saleId: sale.id, buyerId, payByMs: payBy.getTime() }])).toEqual([]);
});

test('an order whose deadline was moved after it was read stays until it is read again', async () => {
  const sale = await openTestSale(t);
  const [kept, due] = (await win(t, sale, 'a', 'b')) as [Claim, Claim];
  await placeOrders(t, { saleId: sale.id, claims: [kept, due] });
  await backdateDeadlines(t, [kept, due]);
  const read = await readOverdue(t.db, { limit: 2, claimIds: idsOf([kept, due]) });
  // The new deadline is over, too, and before it the buyer may have clicked.
  await t.db
    .$executeRaw`UPDATE orders SET version = version + 1, pay_by = pay_by + interval '1 ms' WHERE id = ${kept.claimId}::uuid`;
  expect((await expireRows(t.db, read)).map(release => release.claimId)).toEqual([due.claimId]);
  expect(await expireOrders(t, { claimIds: [kept.claimId] })).toBe(1);
});

test('a second run cancels nothing', async () => {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, 'a', 'b');
  await placeOrders(t, { saleId: sale.id, claims });
  await backdateDeadlines(t, claims);
  expect(await expireOrders(t, { claimIds: idsOf(claims) })).toBe(2);
  expect(await expireOrders(t, { claimIds: idsOf(claims) })).toBe(0);
  expect((await readSnapshot(t.redis, sale.id))?.stock.length).toBe(3);
});

test('four workers at once cancel each order once', async () => {
  const sale = await openTestSale(t, { units: 100 });
  const claims = await win(t, sale, ...buyers(100));
  await placeOrders(t, { saleId: sale.id, claims });
  await backdateDeadlines(t, claims);
  const expired = await Promise.all(Array.from({ length: 4 }, () => expireOrders(t, { claimIds: idsOf(claims) })));
  expect(expired.reduce((sum, count) => sum + count)).toBe(100);
  const stock = (await readSnapshot(t.redis, sale.id))?.stock;
  expect(stock?.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
});

test('a batch larger than one statement is cancelled whole', async () => {
  const sale = await openTestSale(t, { units: 600 });
  const claims: Claim[] = [];
  for (let i = 0; i < 6; i += 1) claims.push(...(await win(t, sale, ...buyers(100, `part${i}-`))));
  await placeOrders(t, { saleId: sale.id, claims });
  await backdateDeadlines(t, claims);
  expect(await expireOrders(t, { claimIds: idsOf(claims) })).toBe(600);
  expect((await readSnapshot(t.redis, sale.id))?.stock.length).toBe(600);
});

test('of paying and expiring at once exactly one wins, and the money agrees', async () => {
  const names = buyers(60, 'racer');
  const sale = await openTestSale(t, { units: 60, priceMinor: 500, payWithinSeconds: 1 });
  await creditWallets(t.db, names, { amountMinor: 500, currency: 'EUR' });
  const claims = await win(t, sale, ...names);
  await placeOrders(t, { saleId: sale.id, claims });
  // The deadlines pass one after the other, so payments come just before, at and just after theirs.
  await t.db.$executeRaw`UPDATE orders SET version = version + 1,
    pay_by = clock_timestamp() + unit * interval '5 ms' WHERE sale_id = ${sale.id}`;
  await eventually(async () => {
    const race = claims.flatMap(claim => [
      payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId: claim.buyerId }),
      expireOrders(t, { claimIds: [claim.claimId] }),
    ]);
    await Promise.all(race);
    expect(await statusesOf(sale.id)).not.toContain('pending_payment');
  });
  for (const { claimId, buyerId } of claims) {
    const { status } = await t.db.order.findUniqueOrThrow({ where: { id: claimId } });
    expect(await readBalance(t.db, buyerId, 'EUR')).toBe(status === 'paid' ? 0 : 500);
    expect(await t.db.transfer.count({ where: { orderId: claimId } })).toBe(status === 'paid' ? 1 : 0);
    expect((await readSnapshot(t.redis, sale.id))?.claims.get(buyerId)?.status).toBe(status);
  }
  expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
});

test.each([-1, 1])('a clock of the worker that is %i h off expires no other order', async hours => {
  const sale = await openTestSale(t, { units: 2, payWithinSeconds: 600 });
  const [due, notDue] = await win(t, sale, 'due', 'not-due');
  if (!due || !notDue) throw new Error('both should have won');
  const now = Date.now();
  jest.spyOn(Date, 'now').mockImplementation(() => now + hours * 3_600_000);
  const expire = async () => {
    await placeOrders(t, { saleId: sale.id, claims: [due, notDue] });
    await backdateDeadlines(t, [due]);
    return expireOrders(t);
  };
  expect(await expire().finally(jest.restoreAllMocks)).toBe(1);
  const claims = (await readSnapshot(t.redis, sale.id))?.claims;
  expect([claims?.get('due')?.reason, claims?.get('not-due')?.status]).toEqual(['unpaid', 'pending_payment']);
});
