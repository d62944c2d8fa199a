import { expect, test } from '@jest/globals';
import { deliverEvents } from '#core/maintenance/deliver-events.js';
import { reconcileAll } from '#core/maintenance/reconcile.js';
import { cancelRow } from '#core/postgres/orders/end-orders.js';
import { updateSale } from '#core/postgres/sales.js';
import { keysOf } from '#core/redis/keys.js';
import { isRegistryWhole } from '#core/redis/registry.js';
import { dropSale, readLoadedSale, setSale } from '#core/redis/sale/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateReleases } from '../../support/stores/by-hand.js';
import { type TestStores, useStores } from '../../support/stores/stores.js';

// A sale that can't be opened again harms no other sale.

const t = useStores();

/**
 * Opens a sale whose gate stays closed, because its claims are a key of another type. The sale has more due releases than
 * one batch takes.
 */
async function makeSick({ db, redis }: TestStores): Promise<string> {
  const { id } = await openTestSale(t);
  await db.$executeRaw`
    INSERT INTO outbox_events (kind, sale_id, order_id, payload)
    SELECT 'release', ${id}, gen_random_uuid(), '{"buyerId":"x","status":"cancelled","reason":"unpaid","freesUnit":true}'
    FROM generate_series(1, 600)`;
  await backdateReleases(t, id, 10);
  await setSale(redis, id, { runId: 'another-run' });
  await redis.del(keysOf(id).claims);
  await redis.set(keysOf(id).claims, 'no hash');
  return id;
}

test('other sales are compared, and their releases are carried out', async () => {
  const sick = await makeSick(t);
  const sale = await openTestSale(t);
  const claim = await winOne(t, sale, 'bob');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await cancelRow(t.db, sale.id, claim);
  await backdateReleases(t, sale.id, 5);
  await updateSale(t.db, sale.id, { state: 'closed' });

  await expect(deliverEvents(t)).rejects.toThrow(sick);
  expect((await readSnapshot(t.redis, sale.id))?.claims.get('bob')?.status).toBe('cancelled');
  await expect(reconcileAll(t)).rejects.toThrow();
  expect(await readLoadedSale(t.redis, sale.id)).toMatchObject({ state: 'closed' });
  // The list of sales is incomplete, so no API may answer `unknown_sale`.
  expect(await isRegistryWhole(t.redis)).toBe(false);
  await dropSale(t.redis, sick);
});

test('the error names every sick sale, and not only the first one', async () => {
  const sick = [await makeSick(t), await makeSick(t)];
  const told = await Promise.allSettled([deliverEvents(t), reconcileAll(t)]);
  for (const result of told) {
    const message = result.status === 'rejected' ? String(result.reason.message) : '';
    for (const saleId of sick) expect(message).toContain(`sale ${saleId}`);
  }
  for (const saleId of sick) await dropSale(t.redis, saleId);
});
