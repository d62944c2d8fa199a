import { describe, expect, test } from '@jest/globals';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { brokenRules } from '#core/postgres/audit.js';
import type { Transaction } from '#core/postgres/database.js';
import { payFromWallet } from '#core/postgres/money/pay.js';
import { refundRow, refundRowPartially } from '#core/postgres/money/refund.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { orderOf, paymentAtProvider, transfersOf } from '../../support/money/reading.js';
import { PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { openTestSale, winOne } from '../../support/sales.js';

// A whole refund and a partial one of the same order, at once, in both orders: together they give back what was paid.

const t = usePayments();

/** Pays an order from a wallet that has no more than its price. */
async function payFromOwnWallet(buyerId: string) {
  const sale = await openTestSale(t, { units: 1, priceMinor: PRICE });
  await creditWallets(t.db, [buyerId], { amountMinor: PRICE, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  await payFromWallet(t.db, { orderId: claim.claimId, buyerId });
  return { sale, claim };
}

const inThisOrder = [
  [
    'the part first',
    ['part', 'whole'],
    [
      ['refund', PART],
      ['refund', PRICE - PART],
    ],
  ],
  ['the whole first', ['whole', 'part'], [['refund', PRICE]]],
] as const;

/** Begins the refunds one after the other, while another connection holds what they lock first. */
async function refundAtOnce(orderId: string, refunds: readonly ('whole' | 'part')[]): Promise<unknown[]> {
  const calls = {
    whole: () => refundRow(t.db, { orderId, restock: true }),
    part: () => refundRowPartially(t.db, { orderId, amountMinor: PART, refundedMinor: 0 }),
  };
  const hold = async (tx: Transaction) => {
    await tx.$queryRaw`SELECT FROM payments WHERE order_id = ${orderId}::uuid FOR UPDATE`;
    await tx.$queryRaw`SELECT FROM orders WHERE id = ${orderId}::uuid FOR UPDATE`;
  };
  const done = await whileHeld<unknown>(t.db, { hold, calls: refunds.map(name => calls[name]) });
  expect(done.filter(one => one instanceof Error)).toEqual([]);
  return done;
}

describe.each(inThisOrder)('%s', (_, refunds, expected) => {
  const saysNotPaid = refunds[0] === 'whole';

  test('a wallet gets its money back once', async () => {
    const { sale, claim } = await payFromOwnWallet(`wallet-${refunds[0]}`);
    const done = await refundAtOnce(claim.claimId, refunds);
    expect(done.some(one => (one as { kind?: string }).kind === 'not_paid')).toBe(saysNotPaid);
    expect(await transfersOf(t, claim.claimId)).toEqual([['capture', PRICE], ...expected]);
    expect(await readBalance(t.db, claim.buyerId, 'EUR')).toBe(PRICE);
    expect((await orderOf(t, claim.claimId)).status).toBe('refunded');
    expect(await brokenRules(t.db, sale.id)).toEqual([]);
  });

  test('a provider gives its money back once', async () => {
    const { sale, claim } = await payAtProvider(t, `provider-${refunds[0]}`);
    const done = await refundAtOnce(claim.claimId, refunds);
    expect(done.some(one => (one as { kind?: string }).kind === 'not_paid')).toBe(saysNotPaid);
    await finishPayments(t);
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: PRICE });
    const refunded = (await transfersOf(t, claim.claimId)).filter(([kind]) => kind === 'refund');
    expect(refunded.reduce((sum, [, amountMinor]) => sum + amountMinor, 0)).toBe(PRICE);
    expect(await brokenRules(t.db, sale.id)).toEqual([]);
  });
});
