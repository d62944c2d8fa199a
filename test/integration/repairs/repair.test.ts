import { describe, expect, test } from '@jest/globals';
import { repairAll } from '#core/maintenance/repair.js';
import { readOrders } from '#core/postgres/orders/order-row.js';
import type { Order } from '#core/rules/order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { loseClaim } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

/** Opens a sale with an order of `ann`, whose claim Redis has lost. `bob` has its unit since. */
async function soldAgain(): Promise<{ saleId: string; order: Order }> {
  const sale = await openTestSale(t, { units: 1 });
  const claim = await winOne(t, sale, 'ann');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await loseClaim(t, sale.id, claim);
  await winOne(t, sale, 'bob');
  const [order] = await readOrders(t.db, [claim.claimId]);
  if (!order) throw new Error('the claim should have an order');
  return { saleId: sale.id, order };
}

describe('a repair that finds nothing to do is not reported', () => {
  test('of a status, if the buyer no longer holds the claim', async () => {
    const { saleId, order } = await soldAgain();
    expect(await repairAll(t, saleId, [{ kind: 'status_behind', order }])).toEqual([]);
  });

  test('of a claim, if its unit is taken', async () => {
    const { saleId, order } = await soldAgain();
    expect(await repairAll(t, saleId, [{ kind: 'claim_missing', order }])).toEqual([]);
    expect((await readSnapshot(t.redis, saleId))?.claims.get('bob')?.status).toBe('queued');
  });

  test('of a claim, if another process has restored it', async () => {
    const sale = await openTestSale(t);
    const claim = await winOne(t, sale, 'ann');
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    const [order] = await readOrders(t.db, [claim.claimId]);
    if (!order) throw new Error('the claim should have an order');
    await loseClaim(t, sale.id, claim);
    const differences = [{ kind: 'claim_missing', order }] as const;
    const repairs = await Promise.all([repairAll(t, sale.id, differences), repairAll(t, sale.id, differences)]);
    expect(repairs.flat()).toEqual([{ kind: 'restored_claim', claimId: claim.claimId, detail: { unit: 1 } }]);
  });
});
