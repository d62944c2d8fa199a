import { expect, test } from '@jest/globals';
import { wantNotices } from '#core/postgres/deliveries/shop-webhook.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { BEARER, useAdmin } from '../support/http/admin.js';
import { openTestSale, winOne } from '../support/sales.js';
import { useStores } from '../support/stores/stores.js';

const stores = useStores();
const admin = useAdmin(stores);
const { ask } = admin;

test('a buyer’s page shows wallet, orders and statement, and asks about the unit before a refund', async () => {
  const sale = await openTestSale(stores, { units: 1, priceMinor: 500 });
  await creditWallets(stores.db, ['spender'], { amountMinor: 700, currency: 'EUR' });
  const claim = await winOne(stores, sale, 'spender');
  await placeOrders(stores, { saleId: sale.id, claims: [claim] });
  await payOrder(stores, { saleId: sale.id, claimId: claim.claimId, buyerId: 'spender' });
  const page = await (await ask('/buyers/spender', admin.browser)).text();
  for (const text of ['EUR 2.00', 'EUR -5.00', claim.claimId, 'Refund, the unit is gone']) expect(page).toContain(text);
  const refund = (body: object) =>
    ask(
      `/orders/${claim.claimId}/refund`,
      { ...BEARER, 'content-type': 'application/json' },
      { method: 'POST', body: JSON.stringify(body) },
    );
  expect((await refund({})).status).toBe(400);
  const part = { amountMinor: 120, refundedMinor: 0 };
  for (const amountMinor of ['1e2', '1.00', '0x10', '', 1.5, 0])
    expect((await refund({ ...part, amountMinor })).status).toBe(400);
  expect(await (await refund(part)).json()).toMatchObject({ status: 'paid', refundedMinor: 120 });
  expect((await refund(part)).status).toBe(409);
  expect((await refund({ amountMinor: 380, refundedMinor: 120 })).status).toBe(409);
  const after = await (await ask('/buyers/spender', admin.browser)).text();
  for (const text of ['EUR 1.20 of it went back', 'max="379"']) expect(after).toContain(text);
  expect(await (await refund({ restock: 'yes' })).json()).toMatchObject({ status: 'refunded', now: true });
  expect(await (await refund({ restock: 'yes' })).json()).toMatchObject({ status: 'refunded', now: false });
  expect(await (await ask('/buyers/spender', BEARER)).json()).toMatchObject({
    balances: [{ currency: 'EUR', balanceMinor: 700 }],
    orders: [{ status: 'refunded', reason: 'refunded_by_shop' }],
  });
});

test('webhooks that the shop refused are listed, and can be retried', async () => {
  await wantNotices(stores.db);
  const sale = await openTestSale(stores, { units: 1, priceMinor: 500 });
  await creditWallets(stores.db, ['payer'], { amountMinor: 500, currency: 'EUR' });
  const claim = await winOne(stores, sale, 'payer');
  await placeOrders(stores, { saleId: sale.id, claims: [claim] });
  await payOrder(stores, { saleId: sale.id, claimId: claim.claimId, buyerId: 'payer' });
  await stores.db.outboxEvent.updateMany({
    where: { saleId: sale.id, kind: 'order.paid' },
    data: { deadAt: new Date(), lastError: 'HTTP 500' },
  });
  expect(await (await ask('/money', admin.browser)).text()).toContain('HTTP 500');
  expect(await (await ask('/webhooks/retry', BEARER, { method: 'POST' })).json()).toEqual({ revived: 1 });
  expect(await (await ask('/money', BEARER)).json()).toEqual({ dead: [], odd: [] });
});
