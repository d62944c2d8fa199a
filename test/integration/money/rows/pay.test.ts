import { expect, test } from '@jest/globals';
import { payFromWallet } from '#core/postgres/money/pay.js';
import { creditWallets, insertWallets, readBalance } from '#core/postgres/money/wallet.js';
import type { Sale } from '#core/rules/sale.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { orderOf } from '../../../support/money/reading.js';
import { openTestSale, winOne } from '../../../support/sales.js';
import { useStores } from '../../../support/stores/stores.js';

const PRICE = 500;
const t = useStores();

/** Places an order of a buyer whose wallet has some money, of the price or another amount. */
async function placeFor(buyerId: string, creditMinor = PRICE, wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(t, { priceMinor: PRICE, ...wanted });
  if (creditMinor > 0) await creditWallets(t.db, [buyerId], { amountMinor: creditMinor, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { orderId: claim.claimId, buyerId };
}

/** Moves the deadline of an order to some seconds from now, and returns it in ms since the epoch. */
async function endIn(orderId: string, seconds: number): Promise<number> {
  await t.db.$executeRaw`UPDATE orders SET version = version + 1,
    pay_by = clock_timestamp() + ${seconds} * interval '1 second' WHERE id = ${orderId}::uuid`;
  return (await orderOf(t, orderId)).payBy.getTime();
}

const transfersOf = (orderId: string) =>
  t.db.transfer.findMany({ where: { orderId }, select: { kind: true, amountMinor: true } });
const balanceOf = (buyerId: string) => readBalance(t.db, buyerId, 'EUR');

test('the price goes from the wallet of the buyer to the shop, once', async () => {
  // None of these is the wallet of the buyer or the account of the shop.
  await creditWallets(t.db, ['payer'], { amountMinor: 2 * PRICE, currency: 'USD' });
  await creditWallets(t.db, ['shop', 'another'], { amountMinor: 2 * PRICE, currency: 'EUR' });
  await t.db.account.create({ data: { kind: 'shop', owner: 'payer', currency: 'EUR' } });
  const order = await placeFor('payer', PRICE + 1);
  const other = await placeFor('payer', 0);
  const { version } = await orderOf(t, order.orderId);
  expect(await payFromWallet(t.db, order)).toBe('paid');
  expect(await payFromWallet(t.db, order)).toBe('not_payable');
  const { paidAt, payBy, ...after } = await orderOf(t, order.orderId);
  expect(after).toMatchObject({ status: 'paid', version: version + 1 });
  expect(paidAt?.getTime()).toBeLessThan(payBy.getTime());
  expect(await orderOf(t, other.orderId)).toMatchObject({ status: 'pending_payment' });
  expect(await balanceOf('payer')).toBe(1);
  expect([await readBalance(t.db, 'payer', 'USD'), await balanceOf('shop')]).toEqual([2 * PRICE, 2 * PRICE]);
  const [capture] = await t.db.transfer.findMany({
    where: { orderId: order.orderId },
    include: { debitAccount: true, creditAccount: true },
  });
  expect(capture).toMatchObject({
    kind: 'capture',
    amountMinor: BigInt(PRICE),
    currency: 'EUR',
    debitAccount: { kind: 'buyer', owner: 'payer', currency: 'EUR' },
    creditAccount: { kind: 'shop', owner: 'shop', currency: 'EUR' },
  });
});

test('a wallet with less than the price, or of another currency, leaves the order payable', async () => {
  const order = await placeFor('poor', PRICE - 1);
  await creditWallets(t.db, ['poor'], { amountMinor: PRICE, currency: 'USD' });
  expect(await payFromWallet(t.db, order)).toBe('insufficient_funds');
  expect(await orderOf(t, order.orderId)).toMatchObject({ status: 'pending_payment', paidAt: null });
  expect(await balanceOf('poor')).toBe(PRICE - 1);
  expect(await transfersOf(order.orderId)).toEqual([]);
});

test('nobody pays the order of somebody else, or one whose sale has another provider', async () => {
  await creditWallets(t.db, ['stranger'], { amountMinor: PRICE, currency: 'EUR' });
  const order = await placeFor('owner');
  expect(await payFromWallet(t.db, { ...order, buyerId: 'stranger' })).toBe('not_payable');
  const { orderId, buyerId } = await placeFor('elsewhere', PRICE, { provider: 'signed-webhook' });
  expect(await payFromWallet(t.db, { orderId, buyerId })).toBe('not_payable');
  expect([await balanceOf('owner'), await balanceOf('stranger'), await balanceOf('elsewhere')]).toEqual([
    PRICE,
    PRICE,
    PRICE,
  ]);
});

test('after the deadline only a click before it pays, and counts as made at the deadline', async () => {
  const order = await placeFor('late');
  const payByMs = await endIn(order.orderId, -5);
  expect(await payFromWallet(t.db, order)).toBe('not_payable');
  expect(await payFromWallet(t.db, { ...order, clickedAtMs: payByMs })).toBe('not_payable');
  expect(await balanceOf('late')).toBe(PRICE);
  expect(await payFromWallet(t.db, { ...order, clickedAtMs: payByMs - 1 })).toBe('paid');
  const { paidAt, payBy } = await orderOf(t, order.orderId);
  expect(paidAt).toEqual(payBy);
});

test('an order that costs nothing is paid from an empty wallet, and not without one', async () => {
  const order = await placeFor('free', 0, { priceMinor: 0 });
  await t.db.account.deleteMany({ where: { kind: 'buyer', owner: 'free' } });
  expect(await payFromWallet(t.db, order)).toBe('insufficient_funds');
  await insertWallets(t.db, ['free'], 'EUR');
  expect(await payFromWallet(t.db, order)).toBe('paid');
  expect(await transfersOf(order.orderId)).toEqual([{ kind: 'capture', amountMinor: 0n }]);
});
