import { expect, test } from '@jest/globals';
import { Pace } from '#core/maintenance/pace.js';
import { rebuild } from '#core/maintenance/rebuild.js';
import { reconcile, reconcileAll } from '#core/maintenance/reconcile.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { readMarked } from '#core/redis/marks.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { beforeScript } from '../../support/meanwhile.js';
import { freezeAt } from '../../support/postgres/frozen.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, win, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

// A sale counts as compared only as it was read, and only if the comparison came to its end. A rebuild is no comparison.

const t = useStores();

/** The first calls of Postgres in a comparison read the sale and, after Redis was read, its orders. */
const READS_ORDERS = 2;

test('a sale that changes after a comparison has read it stays marked as changed', async () => {
  const sale = await openTestSale(t);
  await win(t, sale, 'ann');
  const { db, reached, resume } = freezeAt(t.db, READS_ORDERS);
  const comparing = reconcile({ ...t, db }, sale.id);
  await reached;
  await win(t, sale, 'bob');
  resume();
  await comparing;
  expect(await readMarked(t.redis, 'changed')).toContain(sale.id);
  await reconcile(t, sale.id);
  expect(await readMarked(t.redis, 'changed')).not.toContain(sale.id);
});

test('a sale whose comparison failed is due again in the next round', async () => {
  const sale = await openTestSale(t);
  await win(t, sale, 'ann');
  const pace = new Pace();
  const failing = beforeScript(t, 'unmark-changed', () => Promise.reject(new Error('Redis is away')));
  await expect(reconcileAll(failing, pace)).rejects.toThrow('Redis is away');
  expect((await reconcileAll(t, pace)).map(({ saleId }) => saleId)).toContain(sale.id);
});

test('a sale whose order ends while it is rebuilt is marked as changed', async () => {
  const sale = await openTestSale(t);
  const claim = await winOne(t, sale, 'ann');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await rebuild(
    beforeScript(t, 'open-sale', () => cancelRow(t.db, sale.id, claim)),
    sale.id,
  );
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('ann')?.status).toBe('pending_payment');
  expect(await readMarked(t.redis, 'changed')).toContain(sale.id);
});
