import { expect, test } from '@jest/globals';
import { expireOverdue } from '#core/maintenance/expire-overdue.js';
import { setSale } from '#core/redis/sale/sale.js';
import { NotVerified } from '#core/rules/errors.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { buyers, openTestSale, win } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

test('overdue orders of every sale are cancelled without a job, and no other order', async () => {
  const sales = [await openTestSale(t, { units: 2 }), await openTestSale(t, { units: 2 })];
  for (const sale of sales) {
    const claims = await win(t, sale, 'a', 'b');
    await placeOrders(t, { saleId: sale.id, claims });
    await backdateDeadlines(t, claims.slice(0, 1));
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

test('a second run finds nothing', async () => {
  const sale = await openTestSale(t);
  const claims = await win(t, sale, 'a');
  await placeOrders(t, { saleId: sale.id, claims });
  await backdateDeadlines(t, claims);
  expect(await expireOverdue(t)).toBe(1);
  expect(await expireOverdue(t)).toBe(0);
});

test('two runs at once cancel each order once', async () => {
  const sale = await openTestSale(t, { units: 50 });
  const claims = await win(t, sale, ...Array.from({ length: 50 }, (_, i) => `b${i}`));
  await placeOrders(t, { saleId: sale.id, claims });
  await backdateDeadlines(t, claims);
  const [first, second] = await Promise.all([expireOverdue(t), expireOverdue(t)]);
  expect(first + second).toBe(50);
  expect(new Set((await readSnapshot(t.redis, sale.id))?.stock).size).toBe(50);
});

test('a sale that Redis refuses does not delay the expiry of other sales', async () => {
  const [shut, other] = [await openTestSale(t, { units: 600 }), await openTestSale(t)];
  for (let i = 0; i < 6; i += 1) {
    const claims = await win(t, shut, ...buyers(100, `part${i}-`));
    await placeOrders(t, { saleId: shut.id, claims });
    await backdateDeadlines(t, claims, 10);
  }
  const [claim] = await win(t, other, 'a');
  if (!claim) throw new Error('the buyer should have won');
  await placeOrders(t, { saleId: other.id, claims: [claim] });
  await backdateDeadlines(t, [claim]);
  await setSale(t.redis, shut.id, { runId: 'another-run' });
  await expect(expireOverdue(t)).rejects.toMatchObject({ errors: [expect.any(NotVerified)] });
  expect((await readSnapshot(t.redis, other.id))?.claims.get('a')?.status).toBe('cancelled');
  expect(await t.db.order.count({ where: { saleId: shut.id, status: 'cancelled', reason: 'unpaid' } })).toBe(600);
});
