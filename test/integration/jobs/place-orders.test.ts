import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { rescue } from '#core/maintenance/rescue.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { insertTombstones } from '#core/postgres/orders/end-orders.js';
import { insertOrders } from '#core/postgres/orders/insert-orders.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { aClaim, buyers, openTestSale, win, winOne } from '../../support/sales.js';
import { forceClaim } from '../../support/stores/by-hand.js';
import { writesNothing } from '../../support/stores/keyspace.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const ordersOf = (saleId: string) => t.db.order.findMany({ where: { saleId }, orderBy: { unit: 'asc' } });
const claimOf = async (saleId: string, buyerId: string) => (await readSnapshot(t.redis, saleId))?.claims.get(buyerId);

describe('placing', () => {
  test('a batch becomes orders with the price and the deadline of the sale', async () => {
    const sale = await openTestSale(t, { units: 5, priceMinor: 4_200, currency: 'USD', payWithinSeconds: 60 });
    const claims = await win(t, sale, ...buyers(3));
    await placeOrders(t, { saleId: sale.id, claims });
    const orders = await ordersOf(sale.id);
    expect(orders.map(({ id, buyerId, unit }) => ({ claimId: id, buyerId, unit }))).toEqual(claims);
    for (const order of orders) {
      expect(order).toMatchObject({ status: 'pending_payment', amountMinor: 4_200n, currency: 'USD', version: 1 });
      expect(order.payBy.getTime() - order.placedAt.getTime()).toBe(60_000);
    }
  });

  test('placing updates Redis, clears the outbox and queues the expiry', async () => {
    const sale = await openTestSale(t);
    const claims = await win(t, sale, 'a', 'b');
    await placeOrders(t, { saleId: sale.id, claims });
    const snapshot = await readSnapshot(t.redis, sale.id);
    const [order] = await ordersOf(sale.id);
    expect(snapshot?.claims.get('a')).toMatchObject({ status: 'pending_payment', payByMs: order?.payBy.getTime() });
    expect(snapshot?.outbox.size).toBe(0);
    const dueAtMs = 1_000 * Math.ceil((order?.payBy.getTime() ?? 0) / 1_000);
    const delayed = await t.queues.of('')['expire-due'].getDelayed();
    expect(delayed.filter(job => job.data.dueAtMs === dueAtMs)).toHaveLength(1);
  });

  test('a second run changes no order and no claim', async () => {
    const sale = await openTestSale(t);
    const claims = await win(t, sale, 'a', 'b');
    await placeOrders(t, { saleId: sale.id, claims });
    const [orders, snapshot] = [await ordersOf(sale.id), await readSnapshot(t.redis, sale.id)];
    await placeOrders(t, { saleId: sale.id, claims });
    expect(await ordersOf(sale.id)).toEqual(orders);
    expect(await readSnapshot(t.redis, sale.id)).toEqual({ ...snapshot, atMs: expect.any(Number) });
  });

  test('a batch in four workers at once is placed once', async () => {
    const sale = await openTestSale(t, { units: 100 });
    const claims = await win(t, sale, ...buyers(100));
    await Promise.all(Array.from({ length: 4 }, () => placeOrders(t, { saleId: sale.id, claims })));
    expect((await ordersOf(sale.id)).map(order => order.id)).toEqual(claims.map(claim => claim.claimId));
    expect((await readSnapshot(t.redis, sale.id))?.outbox.size).toBe(0);
    expect(await t.db.outboxEvent.count({ where: { saleId: sale.id } })).toBe(0);
  });

  test('overlapping batches in any order are placed once', async () => {
    const sale = await openTestSale(t, { units: 100 });
    const claims = await win(t, sale, ...buyers(100));
    const batches = [claims, [...claims].reverse(), claims.slice(30), claims.slice(0, 70)];
    await Promise.all(batches.map(batch => placeOrders(t, { saleId: sale.id, claims: batch })));
    expect(await ordersOf(sale.id)).toHaveLength(100);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });
});

describe('out of order', () => {
  test('a claim that was given up is not placed', async () => {
    const sale = await openTestSale(t);
    const won = await winOne(t, sale, 'a');
    await insertTombstones(t.db, { saleId: sale.id, claims: [won], reason: 'not_placed' });
    await placeOrders(t, { saleId: sale.id, claims: [won] });
    expect((await ordersOf(sale.id)).map(order => order.status)).toEqual(['void']);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('a')).toMatchObject({ status: 'rejected', reason: 'not_placed' });
    expect(snapshot?.stock.sort()).toEqual([1, 2, 3]);
  });

  test('of placing and giving up at once one decides, and both stores agree', async () => {
    for (let i = 0; i < 20; i += 1) {
      const sale = await openTestSale(t, { units: 1 });
      const won = await winOne(t, sale, 'a');
      await Promise.all([
        placeOrders(t, { saleId: sale.id, claims: [won] }),
        insertTombstones(t.db, { saleId: sale.id, claims: [won], reason: 'not_placed' }),
      ]);
      await placeOrders(t, { saleId: sale.id, claims: [won] });
      const [order, ...more] = await ordersOf(sale.id);
      expect(more).toEqual([]);
      const expected = order?.status === 'void' ? 'rejected' : 'pending_payment';
      expect((await claimOf(sale.id, 'a'))?.status).toBe(expected);
    }
  });

  test('a late worker does not restore a claim whose unit was sold again', async () => {
    const sale = await openTestSale(t, { units: 1 });
    const late = await winOne(t, sale, 'a');
    await insertTombstones(t.db, { saleId: sale.id, claims: [late], reason: 'not_placed' });
    await placeOrders(t, { saleId: sale.id, claims: [late] });
    const next = await winOne(t, sale, 'b');
    await placeOrders(t, { saleId: sale.id, claims: [next] });
    await writesNothing(t.redis, () => placeOrders(t, { saleId: sale.id, claims: [late] }));
    expect((await ordersOf(sale.id)).map(({ buyerId, status }) => [buyerId, status]).sort()).toEqual([
      ['a', 'void'],
      ['b', 'pending_payment'],
    ]);
  });
});

describe('claims that can not be placed', () => {
  test('a claim that Postgres refuses does not delay its batch', async () => {
    const sale = await openTestSale(t, { units: 10 });
    const good = await win(t, sale, ...buyers(6));
    const poisoned = { buyerId: 'not a buyer!', claimId: randomUUID(), unit: 10 };
    await forceClaim(t, sale.id, poisoned);
    await placeOrders(t, { saleId: sale.id, claims: [...good.slice(0, 3), poisoned, ...good.slice(3)] });
    expect(await ordersOf(sale.id)).toHaveLength(6);
    const snapshot = await readSnapshot(t.redis, sale.id);
    for (const { buyerId } of good) expect(snapshot?.claims.get(buyerId)?.status).toBe('pending_payment');
    expect([...(snapshot?.outbox.keys() ?? [])]).toEqual([poisoned.buyerId]);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([
      'I6 the claim of not a buyer! has waited for its order for more than 15 s',
    ]);
  });

  test('a claim whose order is refused is given up with a reason, and its unit is free', async () => {
    const sale = await openTestSale(t, { units: 4 });
    const claims = await win(t, sale, 'good', 'never', 'also-good');
    await t.db.$executeRaw`
      ALTER TABLE orders ADD CONSTRAINT not_this_one CHECK (buyer_id <> 'never' OR status = 'void')`;
    await placeOrders(t, { saleId: sale.id, claims });
    await t.db.$executeRaw`ALTER TABLE orders DROP CONSTRAINT not_this_one`;
    expect(await claimOf(sale.id, 'never')).toMatchObject({ status: 'rejected', reason: 'not_placed' });
    for (const buyerId of ['good', 'also-good'])
      expect((await claimOf(sale.id, buyerId))?.status).toBe('pending_payment');
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.stock.sort(), snapshot?.outbox.size]).toEqual([[2, 4], 0]);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });

  test('a claim that Postgres refuses does not keep rescue from the others', async () => {
    const sale = await openTestSale(t, { units: 10 });
    await forceClaim(t, sale.id, { buyerId: 'not a buyer!', claimId: randomUUID(), unit: 10 });
    const good = await win(t, sale, ...buyers(3));
    await rescue(t, sale.id, 0);
    expect(await ordersOf(sale.id)).toHaveLength(good.length);
    expect((await readSnapshot(t.redis, sale.id))?.outbox.has('buyer1')).toBe(false);
  });

  test('a claim of a unit with another live order is lost, and the unit does not enter stock', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const owner = await winOne(t, sale, 'a');
    await placeOrders(t, { saleId: sale.id, claims: [owner] });
    const loser = aClaim({ buyerId: 'b', unit: owner.unit });
    await forceClaim(t, sale.id, loser);
    await placeOrders(t, { saleId: sale.id, claims: [loser] });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('b')).toMatchObject({ status: 'rejected', reason: 'lost' });
    expect(snapshot?.stock).toEqual([2]);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });

  test('a buyer with a live order loses the second claim, and its unit goes back', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const second = aClaim({ buyerId: 'a', unit: 2 });
    await insertOrders(t.db, sale.id, [aClaim({ buyerId: 'a', unit: 1 })]);
    await forceClaim(t, sale.id, second);
    await placeOrders(t, { saleId: sale.id, claims: [second] });
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('a')).toMatchObject({ claimId: second.claimId, status: 'rejected', reason: 'lost' });
    expect(snapshot?.stock).toContain(2);
  });

  test('a claim of a unit beyond the sale is rejected', async () => {
    const sale = await openTestSale(t, { units: 2 });
    const beyond = aClaim({ buyerId: 'a', unit: 3 });
    await forceClaim(t, sale.id, beyond);
    await placeOrders(t, { saleId: sale.id, claims: [beyond] });
    expect((await ordersOf(sale.id)).map(order => order.status)).toEqual(['void']);
    expect((await claimOf(sale.id, 'a'))?.status).toBe('rejected');
  });
});

describe('immediate settlement', () => {
  const immediate = { settlement: 'immediate', priceMinor: 500, units: 4 } as const;

  test('with funds the order is paid and the wallet is debited', async () => {
    const sale = await openTestSale(t, immediate);
    await creditWallets(t.db, ['rich'], { amountMinor: 700, currency: 'EUR' });
    await placeOrders(t, { saleId: sale.id, claims: [await winOne(t, sale, 'rich')] });
    expect((await ordersOf(sale.id))[0]).toMatchObject({ status: 'paid', amountMinor: 500n });
    expect(await readBalance(t.db, 'rich', 'EUR')).toBe(200);
    expect((await claimOf(sale.id, 'rich'))?.status).toBe('paid');
  });

  test('without funds the order is rejected, its unit goes back, and the buyer may buy again', async () => {
    const sale = await openTestSale(t, immediate);
    await creditWallets(t.db, ['poor'], { amountMinor: 499, currency: 'EUR' });
    await placeOrders(t, { saleId: sale.id, claims: await win(t, sale, 'poor', 'no-wallet') });
    expect((await ordersOf(sale.id)).map(({ status, reason }) => [status, reason])).toEqual([
      ['rejected', 'insufficient_funds'],
      ['rejected', 'insufficient_funds'],
    ]);
    expect(await readBalance(t.db, 'poor', 'EUR')).toBe(499);
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect(snapshot?.claims.get('poor')).toMatchObject({ status: 'rejected', reason: 'insufficient_funds' });
    expect(snapshot?.stock.sort()).toEqual([1, 2, 3, 4]);
    await creditWallets(t.db, ['poor'], { amountMinor: 1, currency: 'EUR' });
    await placeOrders(t, { saleId: sale.id, claims: [await winOne(t, sale, 'poor')] });
    expect((await claimOf(sale.id, 'poor'))?.status).toBe('paid');
  });

  test('money for one of two orders pays one when both are placed at once', async () => {
    for (let i = 0; i < 10; i += 1) {
      const buyer = `once${i}`;
      await creditWallets(t.db, [buyer], { amountMinor: 500, currency: 'EUR' });
      const sales = [await openTestSale(t, immediate), await openTestSale(t, immediate)];
      const claims = await Promise.all(sales.map(sale => winOne(t, sale, buyer)));
      await Promise.all(sales.map((sale, n) => placeOrders(t, { saleId: sale.id, claims: claims.slice(n, n + 1) })));
      const orders = await t.db.order.findMany({ where: { buyerId: buyer } });
      expect(orders.map(order => order.status).sort()).toEqual(['paid', 'rejected']);
      expect(await readBalance(t.db, buyer, 'EUR')).toBe(0);
    }
  });

  test('a batch in four workers at once debits each wallet once', async () => {
    const sale = await openTestSale(t, { ...immediate, units: 20 });
    const names = buyers(20, 'debited');
    await creditWallets(t.db, names, { amountMinor: 1_200, currency: 'EUR' });
    const claims = await win(t, sale, ...names);
    await Promise.all(Array.from({ length: 4 }, () => placeOrders(t, { saleId: sale.id, claims })));
    for (const name of names) expect(await readBalance(t.db, name, 'EUR')).toBe(700);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  });
});
