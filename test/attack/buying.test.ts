import { describe, expect, test } from '@jest/globals';
import { readLoadedSale } from '#core/redis/sale/sale.js';
import { eventually } from '../support/eventually.js';
import { buyers } from '../support/sales.js';
import { FEW, PRICE, useArena } from './arena.js';

const t = useArena();

const BUYERS = 1_000;

describe('spending', () => {
  test('money for one of two orders pays one, and the other unit is soon free', async () => {
    const wishes = { units: BUYERS, priceMinor: PRICE, settlement: 'immediate', standbyFactor: 0 } as const;
    const sales = [await t.stack.createSale(wishes), await t.stack.createSale(wishes)];
    const names = buyers(BUYERS, 'once');
    await t.stack.credit(names, PRICE);
    const clickedAt = performance.now();
    await Promise.all(names.flatMap(name => sales.map(saleId => t.stack.buy(name, saleId))));
    const { db, redis } = t.ctx;
    await eventually(async () => expect(await db.order.count({ where: { saleId: { in: sales } } })).toBe(2 * BUYERS));
    const placedAt = performance.now();
    await eventually(async () => {
      const loaded = await Promise.all(sales.map(saleId => readLoadedSale(redis, saleId)));
      expect(loaded.reduce((free, sale) => free + (sale?.remaining ?? 0), 0)).toBe(BUYERS);
    });
    // Units are released while others are placed. At the end, less than half of the work may be left.
    expect(performance.now() - placedAt).toBeLessThan(placedAt - clickedAt);
    const perBuyer = await db.$queryRaw<{ buyer_id: string; paid: bigint; rejected: bigint }[]>`
      SELECT buyer_id, count(*) FILTER (WHERE status = 'paid') AS paid, count(*) FILTER (WHERE status = 'rejected') AS rejected
      FROM orders WHERE sale_id IN (${sales[0]}, ${sales[1]}) GROUP BY buyer_id`;
    expect(perBuyer).toHaveLength(BUYERS);
    expect(perBuyer.filter(({ paid, rejected }) => paid !== 1n || rejected !== 1n)).toEqual([]);
    await t.expectProof(...sales);
    for (const id of ['a', 'b']) await t.naive.addGoods(`two-${id}`, PRICE, FEW);
    for (const userId of buyers(FEW, 'n-once')) {
      await t.naive.addUser(userId, PRICE);
      await Promise.all(['a', 'b'].map(id => t.naive.buy({ userId, goodsId: `two-${id}` })));
    }
    const books = await t.naive.books('two-a');
    if (books.lowestBalance < 0)
      t.lost('overspend', `a wallet at ${books.lowestBalance}: it paid once and bought twice`);
  });

  test('ten clicks of one buyer make one order', async () => {
    const saleId = await t.stack.createSale({ units: 10, priceMinor: PRICE, standbyFactor: 0 });
    await Promise.all(Array.from({ length: 10 }, () => t.stack.buy('clicker', saleId)));
    await eventually(async () => expect(await t.countOrders(saleId, 'pending_payment')).toBe(1));
    await t.expectProof(saleId);
    await t.naive.addGoods('clicks', PRICE, 100);
    await t.naive.addUser('n-clicker', 100 * PRICE);
    await Promise.all(Array.from({ length: 10 }, () => t.naive.buy({ userId: 'n-clicker', goodsId: 'clicks' })));
    const { orders } = await t.naive.books('clicks');
    if (orders > 1) t.lost('double buy', `${orders} orders of one buyer`);
  });

  test('the last unit is sold once', async () => {
    const saleId = await t.stack.createSale({ units: 1, priceMinor: PRICE, standbyFactor: 0 });
    await Promise.all(buyers(FEW, 'last').map(name => t.stack.buy(name, saleId)));
    await eventually(async () => expect(await t.countOrders(saleId, 'pending_payment')).toBe(1));
    await t.naive.addGoods('last', PRICE, 1);
    for (const name of buyers(FEW, 'n-last')) await t.naive.addUser(name, PRICE);
    await Promise.all(buyers(FEW, 'n-last').map(userId => t.naive.buy({ userId, goodsId: 'last' })));
    const { stock, orders } = await t.naive.books('last');
    if (stock < 0) t.lost('oversell', `${orders} orders for 1 unit, stock ${stock}`);
  });
});

describe('lies in the request', () => {
  test('a price and another buyer in the request change nothing', async () => {
    const saleId = await t.stack.createSale({ units: 2, priceMinor: PRICE, settlement: 'immediate', standbyFactor: 0 });
    await t.stack.credit(['mallory', 'alice'], PRICE);
    const lies = { price: 1, priceMinor: 1, amount: 1, userId: 'alice', buyerId: 'alice', sub: 'alice' };
    const query = new URLSearchParams(
      Object.entries(lies).map(([name, value]): [string, string] => [name, String(value)]),
    );
    await fetch(`${t.stack.baseUrl}/buy/${saleId}?${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${t.stack.token('mallory')}`, 'content-type': 'application/json' },
      body: JSON.stringify(lies),
    });
    await eventually(async () => expect(await t.countOrders(saleId, 'paid')).toBe(1));
    const orders = await t.ctx.db.order.findMany({ where: { saleId } });
    expect(orders).toMatchObject([{ buyerId: 'mallory', amountMinor: BigInt(PRICE) }]);
    await t.expectProof(saleId);
    await t.naive.addGoods('lies', PRICE, 2);
    await t.naive.addUser('n-alice', PRICE);
    await t.naive.buy({ userId: 'n-alice', goodsId: 'lies', price: 1 });
    const { paid, received } = await t.naive.books('lies');
    if (paid === 1) {
      t.lost('price in the body', `a unit for ${PRICE} went out for ${received}`);
      t.lost('buyer in the body', 'n-alice paid for what somebody else ordered');
    }
  });
});

// The last test, because it counts the losses of all others in this file.
test('at least three of these attacks harm the naive shop, so the attacks are real', () => {
  const attacks = new Set(t.losses.map(line => line.split(':')[0]));
  expect(attacks.size).toBeGreaterThanOrEqual(3);
});
