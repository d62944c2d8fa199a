import { expect, test } from '@jest/globals';
import { expireOverdue } from '#core/maintenance/expire-overdue.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '#core/stock/snapshot.js';
import { makeOverdue } from '../../support/by-hand.js';
import { openTestSale, useStores, win } from '../../support/stores.js';

const t = useStores();

test('overdue orders of every sale are cancelled without any job, and only those', async () => {
  const sales = [await openTestSale(t, { units: 2 }), await openTestSale(t, { units: 2 })];
  for (const sale of sales) {
    const claims = await win(t, sale, 'a', 'b');
    await placeOrders(t, sale.id, claims);
    await makeOverdue(t, claims.slice(0, 1));
  }
  expect(await expireOverdue(t)).toBe(2);
  for (const sale of sales) {
    const snapshot = await readSnapshot(t.redis, sale.id);
    expect([snapshot?.stock, snapshot?.claims.get('a')?.status, snapshot?.claims.get('b')?.status]).toEqual([
      [1],
      'cancelled',
      'pending_payment',
    ]);
  }
});

test('a second time finds nothing', async () => {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, 'a');
  await placeOrders(t, sale.id, claims);
  await makeOverdue(t, claims);
  expect(await expireOverdue(t)).toBe(1);
  expect(await expireOverdue(t)).toBe(0);
});

test('two at once cancel each order once', async () => {
  const sale = await openTestSale(t, { units: 50 });
  const claims = await win(t, sale, ...Array.from({ length: 50 }, (_, i) => `b${i}`));
  await placeOrders(t, sale.id, claims);
  await makeOverdue(t, claims);
  const [first, second] = await Promise.all([expireOverdue(t), expireOverdue(t)]);
  expect(first + second).toBe(50);
  expect(new Set((await readSnapshot(t.redis, sale.id))?.stock).size).toBe(50);
});
