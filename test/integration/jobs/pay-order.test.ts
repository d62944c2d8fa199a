import { expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { expireOrders } from '#core/steps/expire-orders.js';
import { payOrder } from '#core/steps/pay-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { eventually } from '../../support/eventually.js';
import { orderOf } from '../../support/money/reading.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { readSnapshot } from '../../support/redis/snapshot.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';
import { useStores } from '../../support/stores/stores.js';

const t = useStores();

const PRICE = 500;

async function placed(buyerId: string, balance: number, wanted: Partial<Sale> = {}) {
  const sale = await openTestSale(t, { units: 1, priceMinor: PRICE, ...wanted });
  if (balance > 0) await creditWallets(t.db, [buyerId], { amountMinor: balance, currency: sale.currency });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { sale, claim };
}

const pay = (sale: Sale, { claimId, buyerId }: Claim) => payOrder(t, { saleId: sale.id, claimId, buyerId });
const claimOf = async (sale: Sale, buyerId: string) => (await readSnapshot(t.redis, sale.id))?.claims.get(buyerId);

test('a payment debits the wallet, marks the order and updates Redis', async () => {
  const { sale, claim } = await placed('a', 700);
  await pay(sale, claim);
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', paidAt: expect.any(Date), version: 2 });
  expect(await readBalance(t.db, 'a', 'EUR')).toBe(200);
  expect((await claimOf(sale, 'a'))?.status).toBe('paid');
  const transfers = await t.db.transfer.findMany({ where: { orderId: claim.claimId } });
  expect(transfers).toMatchObject([{ kind: 'capture', amountMinor: BigInt(PRICE) }]);
});

test('a second payment takes nothing', async () => {
  const { sale, claim } = await placed('twice', 2 * PRICE);
  await pay(sale, claim);
  await pay(sale, claim);
  expect(await readBalance(t.db, 'twice', 'EUR')).toBe(PRICE);
  expect(await t.db.transfer.count({ where: { orderId: claim.claimId } })).toBe(1);
});

test('four payments at once take the price once', async () => {
  const { sale, claim } = await placed('four', 4 * PRICE);
  await Promise.all(Array.from({ length: 4 }, () => pay(sale, claim)));
  expect(await readBalance(t.db, 'four', 'EUR')).toBe(3 * PRICE);
});

test('a wallet never pays more than its balance when many orders are paid at once', async () => {
  const name = 'spender';
  const orders = [];
  for (let i = 0; i < 8; i += 1) orders.push(await placed(name, i === 0 ? 3 * PRICE : 0));
  await Promise.all(orders.map(({ sale, claim }) => pay(sale, claim)));
  expect(await t.db.order.count({ where: { buyerId: name, status: 'paid' } })).toBe(3);
  expect(await readBalance(t.db, name, 'EUR')).toBe(0);
});

test('without funds the order stays payable, and the buyer learns why', async () => {
  const { sale, claim } = await placed('poor', PRICE - 1);
  await pay(sale, claim);
  expect((await orderOf(t, claim.claimId)).status).toBe('pending_payment');
  expect(await claimOf(sale, 'poor')).toMatchObject({ status: 'pending_payment', reason: 'insufficient_funds' });
  await creditWallets(t.db, ['poor'], { amountMinor: 1, currency: 'EUR' });
  await pay(sale, claim);
  const paid = await claimOf(sale, 'poor');
  expect(paid?.status).toBe('paid');
  expect(paid?.reason).toBeUndefined();
});

test('a buyer cannot pay the order of another buyer', async () => {
  const { sale, claim } = await placed('owner', PRICE);
  await creditWallets(t.db, ['thief'], { amountMinor: PRICE, currency: 'EUR' });
  await payOrder(t, { saleId: sale.id, claimId: claim.claimId, buyerId: 'thief' });
  expect((await orderOf(t, claim.claimId)).status).toBe('pending_payment');
  expect(await readBalance(t.db, 'thief', 'EUR')).toBe(PRICE);
});

test('money in another currency pays nothing', async () => {
  const { sale, claim } = await placed('swiss', 0);
  await creditWallets(t.db, ['swiss'], { amountMinor: PRICE, currency: 'CHF' });
  await pay(sale, claim);
  expect((await orderOf(t, claim.claimId)).status).toBe('pending_payment');
});

test('a payment before the order is placed does nothing', async () => {
  const sale = await openTestSale(t, { priceMinor: PRICE });
  await creditWallets(t.db, ['early'], { amountMinor: PRICE, currency: 'EUR' });
  await pay(sale, await winOne(t, sale, 'early'));
  expect(await readBalance(t.db, 'early', 'EUR')).toBe(PRICE);
});

test('a payment after the deadline takes no money, and the order expires', async () => {
  const { sale, claim } = await placed('late', PRICE);
  await backdateDeadlines(t, [claim]);
  await pay(sale, claim);
  expect(await expireOrders(t, { claimIds: [claim.claimId] })).toBe(1);
  expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'unpaid' });
  expect(await readBalance(t.db, 'late', 'EUR')).toBe(PRICE);
  expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual([1]);
});

test('of paying and cancelling at once exactly one wins, and the money agrees', async () => {
  for (let i = 0; i < 30; i += 1) {
    const name = `torn${i}`;
    const { sale, claim } = await placed(name, PRICE);
    const both = [() => pay(sale, claim), () => cancelOrder(t, { saleId: sale.id, ...claim })];
    await Promise.all((i % 2 === 0 ? both : both.reverse()).map(run => run()));
    const { status } = await orderOf(t, claim.claimId);
    expect(['paid', 'cancelled']).toContain(status);
    expect(await readBalance(t.db, name, 'EUR')).toBe(status === 'paid' ? 0 : PRICE);
    await eventually(async () => expect((await claimOf(sale, name))?.status).toBe(status));
    expect((await readSnapshot(t.redis, sale.id))?.stock).toEqual(status === 'paid' ? [] : [1]);
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  }
});

test.each(['deferred', 'immediate'] as const)(
  'a buyer without a wallet pays for a free unit with %s settlement',
  async settlement => {
    const { sale, claim } = await placed(`free-${settlement}`, 0, { priceMinor: 0, settlement });
    if (settlement === 'deferred') await pay(sale, claim);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'paid', amountMinor: 0n });
    expect((await claimOf(sale, claim.buyerId))?.status).toBe('paid');
    expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
  },
);

test('a payment that was decided in time counts as in time, also after waiting for the wallet', async () => {
  const { sale, claim } = await placed('waits', PRICE);
  await backdateDeadlines(t, [claim], -0.5);
  const isOverdue = async () => {
    const [row] = await t.db.$queryRaw<{ overdue: boolean }[]>`
      SELECT clock_timestamp() > pay_by AS overdue FROM orders WHERE id = ${claim.claimId}::uuid`;
    expect(row?.overdue).toBe(true);
  };
  const paid = await whileHeld(t.db, {
    hold: tx => tx.$queryRaw`SELECT FROM accounts WHERE owner = 'waits' FOR UPDATE`,
    calls: [() => pay(sale, claim)],
    meanwhile: () => eventually(isOverdue),
  });
  expect(paid).toEqual([undefined]);
  const { status, paidAt, payBy } = await orderOf(t, claim.claimId);
  expect({ status, isInTime: paidAt !== null && paidAt <= payBy }).toEqual({ status: 'paid', isInTime: true });
});
