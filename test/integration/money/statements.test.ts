import { randomUUID } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { Prisma } from '#core/postgres/database.js';
import { endRefundsByHand, readRefundsDue } from '#core/postgres/money/due-refunds.js';
import { payAfterAll, payWithLateMoney, readLateMoney, refundLateMoney } from '#core/postgres/money/late-money.js';
import { readOddPayments } from '#core/postgres/money/odd-payments.js';
import { payFromWallet } from '#core/postgres/money/pay.js';
import { askAgainLater, readUnheard, requestPayment } from '#core/postgres/money/payment.js';
import { markOpen, markRefused } from '#core/postgres/money/payment-change.js';
import { applyAnswer, applyEvent } from '#core/postgres/money/payment-report.js';
import { readStatement } from '#core/postgres/money/statement.js';
import { creditWallets, readBalance } from '#core/postgres/money/wallet.js';
import { insertUnpaidOrders } from '#core/postgres/orders/insert-orders.js';
import type { Claim } from '#core/rules/claim.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { paidReport, paymentOf, transfersOf } from '../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

// The conditions of the statements about money: each has a case that only it decides.

const t = usePayments();

const change = ({ claimId }: Claim, sql: Prisma.Sql) =>
  t.db.$executeRaw(Prisma.sql`UPDATE payments SET ${sql} WHERE order_id = ${claimId}::uuid`);
const changeOrder = (orderId: string, sql: Prisma.Sql) =>
  t.db.$executeRaw(Prisma.sql`UPDATE orders SET ${sql}, version = version + 1 WHERE id = ${orderId}::uuid`);
const ofThese = (payments: { orderId: string }[], ...claims: Claim[]) =>
  payments.map(({ orderId }) => claims.findIndex(({ claimId }) => claimId === orderId)).filter(i => i >= 0);

/** Late money that nobody has decided about. */
async function late(buyer: string, wanted: Partial<Sale> = {}) {
  const { sale, claim } = await askToPay(t, buyer, wanted);
  await cancelOrder(t, { saleId: sale.id, ...claim });
  await t.fake.pay(claim.claimId);
  await applyAnswer(t.db, 'signed-webhook', await paidReport(t, claim.claimId));
  return { sale, claim, payment: await paymentOf(t, claim.claimId) };
}

async function dueFromWallet(buyerId: string) {
  const sale = await openTestSale(t, { units: 2, priceMinor: PRICE });
  await creditWallets(t.db, [buyerId], { amountMinor: PRICE, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { sale, claim };
}

describe('a wallet pays', () => {
  test('only for its owner', async () => {
    const { claim } = await dueFromWallet('owner');
    await creditWallets(t.db, ['thief'], { amountMinor: PRICE, currency: 'EUR' });
    expect(await payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'thief' })).toBe('not_payable');
    expect(await payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'owner' })).toBe('paid');
    expect(await readBalance(t.db, 'thief', 'EUR')).toBe(PRICE);
  });

  test('only with enough money of the currency', async () => {
    const { claim } = await dueFromWallet('poor');
    await t.db.account.updateMany({ where: { owner: 'poor' }, data: { balanceMinor: PRICE - 1 } });
    await creditWallets(t.db, ['poor'], { amountMinor: PRICE, currency: 'JPY' });
    const pay = () => payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'poor' });
    expect(await pay()).toBe('insufficient_funds');
    await t.db.account.updateMany({ where: { owner: 'poor', currency: 'EUR' }, data: { balanceMinor: PRICE } });
    expect(await pay()).toBe('paid');
    expect([await readBalance(t.db, 'poor', 'EUR'), await readBalance(t.db, 'poor', 'JPY')]).toEqual([0, PRICE]);
  });

  test('no order of a sale with another provider', async () => {
    const { claim } = await askToPay(t, 'at-provider');
    await creditWallets(t.db, ['at-provider'], { amountMinor: PRICE, currency: 'EUR' });
    expect(await payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'at-provider' })).toBe('not_payable');
    const { claim: other } = await dueFromWallet('of-wallet');
    expect(await requestPayment(t.db, { orderId: other.claimId, buyerId: 'of-wallet' })).toBeUndefined();
  });
});

describe('late money pays a new order', () => {
  /** A claim under the id that the payment has for it, whose order is as another process has left it. */
  async function regrabbed(buyer: string, left: Prisma.Sql | undefined, owner = buyer) {
    const { sale, claim, payment } = await late(buyer, { units: 3 });
    const again = { buyerId: owner, claimId: payment.regrabClaimId, unit: 3 };
    await insertUnpaidOrders(t.db, sale.id, [again]);
    if (left) await changeOrder(again.claimId, left);
    return { claim, payment, again };
  }

  const LEFT: [string, Prisma.Sql, string][] = [
    ['another buyer has', Prisma.sql`reason = NULL`, 'somebody-else'],
    [
      'was cancelled',
      Prisma.sql`status = 'cancelled', reason = 'cancelled_by_buyer', cancelled_at = clock_timestamp()`,
      'was-cancelled',
    ],
    ['is overdue', Prisma.sql`pay_by = clock_timestamp()`, 'is-overdue'],
  ];

  test.each(LEFT)('that %s: the payment stays undecided', async (what, left, owner) => {
    const { claim, payment, again } = await regrabbed(what.replaceAll(' ', '-'), left, owner);
    expect(await payWithLateMoney(t.db, payment, { ...again, buyerId: claim.buyerId })).toBe(false);
    expect([(await paymentOf(t, claim.claimId)).status, await transfersOf(t, again.claimId)]).toEqual(['late', []]);
    await finishPayments(t);
  });

  test.each([
    ['amount', Prisma.sql`amount_minor = amount_minor - 1`],
    ['currency', Prisma.sql`currency = 'JPY'`],
  ])('that has another %s: the payment stays undecided', async (what, sql) => {
    const { claim, payment, again } = await regrabbed(`other-${what}`, undefined);
    await change(claim, sql);
    expect(await payWithLateMoney(t.db, payment, again)).toBe(false);
    expect(await transfersOf(t, again.claimId)).toEqual([]);
    await change(claim, Prisma.sql`amount_minor = ${PRICE}, currency = 'EUR'`);
    await finishPayments(t);
  });

  test('only while nobody has decided', async () => {
    const { claim } = await payAtProvider(t, 'decided');
    const payment = await paymentOf(t, claim.claimId);
    const again = { ...claim, claimId: randomUUID() };
    expect(await refundLateMoney(t.db, payment)).toBe(false);
    expect(await payAfterAll(t.db, payment)).toBe(false);
    expect(await payWithLateMoney(t.db, payment, again)).toBe(false);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'paid', mismatch: null });
  });
});

describe('another attempt to pay', () => {
  test('is not begun while money of the first is undecided, also when an operator moves the deadline', async () => {
    const { claim } = await askToPay(t, 'second-attempt');
    await t.fake.pay(claim.claimId);
    await backdateDeadlines(t, [claim]);
    await applyAnswer(t.db, 'signed-webhook', await paidReport(t, claim.claimId));
    await changeOrder(claim.claimId, Prisma.sql`pay_by = clock_timestamp() + interval '1 hour'`);
    const latest = await requestPayment(t.db, { orderId: claim.claimId, buyerId: claim.buyerId });
    expect(latest).toMatchObject({ attempt: 1, status: 'late' });
    await finishPayments(t);
    expect(await transfersOf(t, claim.claimId)).toEqual([['capture', PRICE]]);
  });

  test('is open at the provider only while it is requested here', async () => {
    const { claim } = await askToPay(t, 'refused-later');
    const { id } = await paymentOf(t, claim.claimId);
    await markRefused(t.db, id);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'open' });
    const known = (await paymentOf(t, claim.claimId)).paymentId;
    await markOpen(t.db, id, { paymentId: 'pi_other', payUrl: 'https://pay.example/other' });
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ paymentId: known });
  });
});

describe('due work', () => {
  test('late money is read page by page, and only what is undecided', async () => {
    const [first, second] = [
      await late('page-1', { lateMoney: 'refund' }),
      await late('page-2', { lateMoney: 'refund' }),
    ];
    const { claim: other } = await payAtProvider(t, 'page-3');
    const claims = [first.claim, second.claim, other];
    expect(ofThese(await readLateMoney(t.db, 100, 0n), ...claims)).toEqual([0, 1]);
    expect(ofThese(await readLateMoney(t.db, 100, first.payment.id), ...claims)).toEqual([1]);
    expect(await readLateMoney(t.db, 1, 0n)).toHaveLength(1);
    await finishPayments(t);
  });

  test('refunds and questions that are due are read, the longest due first, and no later ones', async () => {
    const claims: Claim[] = [];
    for (const buyer of ['due-1', 'due-2', 'due-3']) claims.push((await payAtProvider(t, buyer)).claim);
    const [one, two, three] = claims as [Claim, Claim, Claim];
    const at = (seconds: number) => Prisma.sql`clock_timestamp() + ${seconds} * interval '1 second'`;
    for (const [claim, seconds] of [
      [one, -10],
      [two, -20],
      [three, 60],
    ] as const) {
      await change(claim, Prisma.sql`refund_at = ${at(seconds)}, ask_at = ${at(seconds)}`);
    }
    expect(ofThese(await readRefundsDue(t.db, 100), ...claims)).toEqual([1, 0]);
    expect(ofThese(await readUnheard(t.db, 100), ...claims)).toEqual([1, 0]);
    for (const claim of claims) await change(claim, Prisma.sql`refund_at = NULL, ask_at = NULL`);
    await askAgainLater(t.db, (await paymentOf(t, one.claimId)).id);
    expect(await t.db.payment.findFirst({ where: { orderId: one.claimId } })).toMatchObject({ askAt: null });
  });

  test('a refund by hand ends those of the order that the money paid for, and only what is due', async () => {
    const { claim } = await late('by-hand');
    await finishPayments(t);
    const { bookedOrderId } = await paymentOf(t, claim.claimId);
    expect(bookedOrderId).not.toBe(claim.claimId);
    expect(await endRefundsByHand(t.db, bookedOrderId, 'nothing is due')).toEqual([]);
    await refundOrder(t, { orderId: bookedOrderId, restock: true });
    const ended = [{ amountMinor: PRICE, currency: 'EUR' }];
    expect(await endRefundsByHand(t.db, bookedOrderId, 'at the bank')).toEqual(ended);
  });
});

describe('payments for an operator to look at', () => {
  const ODD: [string, Prisma.Sql, boolean][] = [
    ['nothing is odd', Prisma.sql`refund_tries = 0`, false],
    [
      'a refund was tried three times',
      Prisma.sql`refund_tries = 3, refund_at = clock_timestamp() + interval '1 day'`,
      true,
    ],
    ['a refund was tried twice', Prisma.sql`refund_tries = 2, refund_at = clock_timestamp() + interval '1 day'`, false],
    ['a refund was made at the third try', Prisma.sql`refund_tries = 3`, false],
    ['all of a paid order went back', Prisma.sql`refund_minor = ${PRICE}`, true],
    ['all but 1 of a paid order went back', Prisma.sql`refund_minor = ${PRICE - 1}`, false],
    ['all of a refunded order went back', Prisma.sql`refund_minor = ${PRICE}, status = 'refunded'`, false],
    ['the provider took something else', Prisma.sql`mismatch = '{"amountMinor": 1, "currency": "EUR"}'`, true],
  ];

  test.each(ODD)('%s: %#', async (name, sql, isOdd) => {
    const { claim } = await payAtProvider(t, name.replaceAll(' ', '-'));
    await change(claim, sql);
    expect(ofThese(await readOddPayments(t.db, 100), claim)).toEqual(isOdd ? [0] : []);
    await change(claim, Prisma.sql`refund_at = NULL`);
  });
});

test('a statement lists the movements of one buyer’s wallets, with a balance for each currency', async () => {
  const { claim } = await dueFromWallet('reads');
  await creditWallets(t.db, ['reads', 'other-reader'], { amountMinor: 70, currency: 'JPY' });
  await payFromWallet(t.db, { orderId: claim.claimId, buyerId: 'reads' });
  await refundOrderPartially(t, { orderId: claim.claimId, amountMinor: PART, refundedMinor: 0 });
  const lines = (await readStatement(t.db, 'reads', 100)).map(one => [one.currency, one.amountMinor, one.balanceMinor]);
  expect(lines).toEqual([
    ['EUR', PRICE, PRICE],
    ['JPY', 70, 70],
    ['EUR', -PRICE, 0],
    ['EUR', PART, PART],
  ]);
  expect(await readStatement(t.db, 'reads', 1)).toMatchObject([{ amountMinor: PART }]);
  // A buyer may have the name of the shop's account.
  for (const buyer of ['nobody', 'shop']) expect(await readStatement(t.db, buyer, 100)).toEqual([]);
});

test('an event of another provider with the same payment id is about none of our payments', async () => {
  const { claim } = await askToPay(t, 'two-providers');
  await change(claim, Prisma.sql`provider = 'another'`);
  const report = await paidReport(t, claim.claimId);
  const event = { eventId: 'evt_provider', type: 'any', report };
  expect((await applyEvent(t.db, 'signed-webhook', event)).outcome).toBe('unknown_payment');
});
