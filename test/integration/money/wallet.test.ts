import { expect, test } from '@jest/globals';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { createWallet } from '#core/payments/wallet.js';
import {
  creditWallets,
  insertShopAccounts,
  insertWallets,
  readBalance,
  readBalances,
  readCapture,
} from '#core/postgres/money/wallet.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { useStores } from '../../support/stores/stores.js';

const PRICE = 500;
const PART = 200;
const t = useStores();

/** Places an order of a buyer whose wallet has some money. */
async function placeFor(buyerId: string, { priceMinor = PRICE, creditMinor = PRICE } = {}) {
  const sale = await openTestSale(t, { priceMinor });
  await insertWallets(t.db, [buyerId], sale.currency);
  if (creditMinor > 0) await creditWallets(t.db, [buyerId], { amountMinor: creditMinor, currency: sale.currency });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { sale, orderId: claim.claimId, order: { orderId: claim.claimId, buyerId } };
}

const ref = (orderId: string) => ({ orderId, attempt: 1, paymentId: null });

test('the wallet pays an order once, refuses without money, and says what it did', async () => {
  const wallet = createWallet(t.db);
  const { orderId, order } = await placeFor('payer');
  expect(await wallet.ask(ref(orderId))).toBeUndefined();
  expect(await wallet.create(order)).toEqual({ kind: 'settled' });
  expect(await wallet.create(order)).toEqual({ kind: 'not_payable' });
  const poor = await placeFor('poor', { creditMinor: PRICE - 1 });
  expect(await wallet.create(poor.order)).toEqual({ kind: 'refused', reason: 'insufficient_funds' });
});

test('the wallet reports an order as refunded once all of its money went back', async () => {
  const wallet = createWallet(t.db);
  const { orderId, order } = await placeFor('asked');
  await wallet.create(order);
  const report = { paymentId: orderId, orderId, amountMinor: PRICE, currency: 'EUR' };
  expect(await wallet.ask(ref(orderId))).toEqual({ ...report, state: 'paid', refundedMinor: 0 });
  await refundOrderPartially(t, { orderId, amountMinor: PART, refundedMinor: 0 });
  expect(await wallet.ask(ref(orderId))).toEqual({ ...report, state: 'paid', refundedMinor: PART });
  await refundOrder(t, { orderId, restock: true });
  expect(await wallet.ask(ref(orderId))).toEqual({ ...report, state: 'refunded', refundedMinor: PRICE });
});

test('the wallet reports a free order as paid', async () => {
  const wallet = createWallet(t.db);
  const { orderId, order } = await placeFor('free', { priceMinor: 0, creditMinor: 0 });
  expect(await wallet.create(order)).toEqual({ kind: 'settled' });
  const report = { paymentId: orderId, orderId, amountMinor: 0, currency: 'EUR', refundedMinor: 0 };
  expect(await wallet.ask(ref(orderId))).toEqual({ ...report, state: 'paid' });
});

test('the wallet sends no events, and its refunds are made at once', async () => {
  const wallet = createWallet(t.db);
  expect(wallet.mayBeGenuine('t=1,v1=0', 0)).toBe(false);
  expect(wallet.verify(Buffer.from('{}'), undefined, 0)).toEqual({ kind: 'forged' });
  const { orderId } = await placeFor('refunds');
  const whole = { amountMinor: PRICE, fromMinor: 0, isWhole: true };
  expect(await wallet.refund(ref(orderId), whole)).toBe('refunded');
});

test('a buyer has a wallet for each currency, and no wallet is one of 0', async () => {
  await creditWallets(t.db, ['rich'], { amountMinor: 7, currency: 'USD' });
  await creditWallets(t.db, ['rich'], { amountMinor: 5, currency: 'EUR' });
  await creditWallets(t.db, ['rich'], { amountMinor: 6, currency: 'EUR' });
  await creditWallets(t.db, ['other'], { amountMinor: 3, currency: 'EUR' });
  await insertWallets(t.db, ['rich', 'empty'], 'EUR');
  expect(await readBalances(t.db, 'rich')).toEqual([
    { currency: 'EUR', balanceMinor: 11 },
    { currency: 'USD', balanceMinor: 7 },
  ]);
  expect(await readBalances(t.db, 'empty')).toEqual([{ currency: 'EUR', balanceMinor: 0 }]);
  expect([await readBalance(t.db, 'rich', 'USD'), await readBalance(t.db, 'nobody', 'EUR')]).toEqual([7, 0]);
});

test('a credit comes once from the account of the outside world, whatever buyers are called', async () => {
  await insertShopAccounts(t.db, 'JPY');
  await creditWallets(t.db, ['world'], { amountMinor: 5, currency: 'EUR' });
  await creditWallets(t.db, ['credited'], { amountMinor: 7, currency: 'EUR' });
  const credits = await t.db.transfer.findMany({
    where: { creditAccount: { kind: 'buyer', owner: 'credited' } },
    include: { debitAccount: true },
  });
  expect(credits).toMatchObject([
    { kind: 'credit', amountMinor: 7n, debitAccount: { kind: 'external', owner: 'world', currency: 'EUR' } },
  ]);
});

test('the capture of an order counts what went back as refunds alone', async () => {
  const { orderId, order } = await placeFor('capture', { creditMinor: 2 * PRICE });
  expect(await readCapture(t.db, orderId)).toBeUndefined();
  await createWallet(t.db).create(order);
  expect(await readCapture(t.db, orderId)).toEqual({ amountMinor: PRICE, currency: 'EUR', refundedMinor: 0 });
  await refundOrderPartially(t, { orderId, amountMinor: 1, refundedMinor: 0 });
  await refundOrderPartially(t, { orderId, amountMinor: 2, refundedMinor: 1 });
  expect(await readCapture(t.db, orderId)).toEqual({ amountMinor: PRICE, currency: 'EUR', refundedMinor: 3 });
});
