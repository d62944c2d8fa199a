import { expect, test } from '@jest/globals';
import { payFromWallet } from '#core/postgres/money/pay.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { creditWallets } from '#core/postgres/money/wallet.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { openTestSale, winOne } from '../../../support/sales.js';
import { useStores } from '../../../support/stores/stores.js';

const t = useStores();

test('a statement has the movements of all wallets of a buyer, the oldest first, each with the balance after it', async () => {
  await creditWallets(t.db, ['reader', 'another'], { amountMinor: 900, currency: 'EUR' });
  await creditWallets(t.db, ['reader'], { amountMinor: 70, currency: 'USD' });
  const sale = await openTestSale(t, { priceMinor: 500 });
  const claim = await winOne(t, sale, 'reader');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'reader' });
  await creditWallets(t.db, ['reader'], { amountMinor: 30, currency: 'USD' });
  const credit = { kind: 'credit', orderId: null, saleId: null, at: expect.stringMatching(/^\d{4}-.*Z$/) };
  const lines = [
    { ...credit, currency: 'EUR', amountMinor: 900, balanceMinor: 900 },
    { ...credit, currency: 'USD', amountMinor: 70, balanceMinor: 70 },
    {
      ...credit,
      kind: 'capture',
      orderId: claim.claimId,
      saleId: sale.id,
      currency: 'EUR',
      amountMinor: -500,
      balanceMinor: 400,
    },
    { ...credit, currency: 'USD', amountMinor: 30, balanceMinor: 100 },
  ];
  expect(await readStatement(t.db, 'reader', 10)).toEqual(lines);
  expect(await readStatement(t.db, 'reader', 2)).toEqual(lines.slice(2));
});

test('the accounts of the shop and of providers have no statement, whatever a buyer is called', async () => {
  const sale = await openTestSale(t, { priceMinor: 500 });
  await creditWallets(t.db, ['payer'], { amountMinor: 500, currency: sale.currency });
  const claim = await winOne(t, sale, 'payer');
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'payer' });
  expect([await readStatement(t.db, 'shop', 10), await readStatement(t.db, 'world', 10)]).toEqual([[], []]);
});
