import { describe, expect, test } from '@jest/globals';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { brokenRules } from '#core/postgres/audit.js';
import type { Transaction } from '#core/postgres/database.js';
import { beginRefund, endRefundsByHand } from '#core/postgres/money/due-refunds.js';
import { refundLateMoney } from '#core/postgres/money/late-money.js';
import { payFromWallet } from '#core/postgres/money/pay.js';
import { requestPayment } from '#core/postgres/money/payment.js';
import { applyAnswer, applyEvent } from '#core/postgres/money/payment-report.js';
import { refundRow, refundRowPartially } from '#core/postgres/money/refund.js';
import { creditWallets, insertWallets, readBalance } from '#core/postgres/money/wallet.js';
import { insertPaidOrders } from '#core/postgres/orders/insert-paid-orders.js';
import type { Claim } from '#core/rules/claim.js';
import type { PaymentReport } from '#core/rules/payment.js';
import { placeOrders } from '#core/steps/place-orders.js';
import { paidReport, paymentOf, transfersOf } from '../../support/money/reading.js';
import { askToPay, PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';
import { whileHeld } from '../../support/postgres/while-held.js';
import { aClaim, openTestSale, winOne } from '../../support/sales.js';
import { backdateDeadlines } from '../../support/stores/by-hand.js';

// Calls about one order's money at once: another connection holds the row until all of them wait for it.

const t = usePayments();

const lockPaymentOf =
  ({ claimId }: Claim) =>
  (tx: Transaction) =>
    tx.$queryRaw`SELECT FROM payments WHERE order_id = ${claimId}::uuid FOR UPDATE`;
const lockOrder =
  ({ claimId }: Claim) =>
  (tx: Transaction) =>
    tx.$queryRaw`SELECT FROM orders WHERE id = ${claimId}::uuid FOR UPDATE`;
const eventOf = (eventId: string, report: PaymentReport) => ({ eventId, type: 'any', report });

/** An order that is to be paid from the wallet, which has enough for it. */
async function dueFromWallet(buyerId: string) {
  const sale = await openTestSale(t, { units: 2, priceMinor: PRICE });
  await creditWallets(t.db, [buyerId], { amountMinor: 3 * PRICE, currency: 'EUR' });
  const claim = await winOne(t, sale, buyerId);
  await placeOrders(t, { saleId: sale.id, claims: [claim] });
  return { sale, claim, order: { orderId: claim.claimId, buyerId } };
}

describe('reports of one payment', () => {
  test('two events and an answer at once pay the order, and give nothing back', async () => {
    const { sale, claim } = await askToPay(t, 'three-reports');
    await t.fake.pay(claim.claimId);
    const report = await paidReport(t, claim.claimId);
    const applied = await whileHeld(t.db, {
      hold: lockPaymentOf(claim),
      calls: [
        () => applyEvent(t.db, 'signed-webhook', eventOf('evt_first', report)),
        () => applyEvent(t.db, 'signed-webhook', eventOf('evt_second', report)),
        () => applyAnswer(t.db, 'signed-webhook', report),
      ],
    });
    expect(applied.map(one => (one instanceof Error ? one.message : one.outcome))).toEqual([
      'paid',
      'repeated',
      'repeated',
    ]);
    await finishPayments(t);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'paid', money: { returnedMinor: 0 } });
    expect(await transfersOf(t, claim.claimId)).toEqual([['capture', PRICE]]);
    expect(await brokenRules(t.db, sale.id)).toEqual([]);
  });

  test('one event in two processes counts once', async () => {
    const { claim } = await askToPay(t, 'one-event');
    await t.fake.pay(claim.claimId);
    const event = eventOf('evt_of_two', await paidReport(t, claim.claimId));
    const applied = await whileHeld(t.db, {
      hold: tx => tx.$executeRaw`
        INSERT INTO payment_events (provider, event_id, payload) VALUES ('signed-webhook', ${event.eventId}, '{}')`,
      calls: [() => applyEvent(t.db, 'signed-webhook', event)],
    });
    expect(applied).toMatchObject([{ outcome: 'repeated', payment: { status: 'open' } }]);
  });

  test('a part that went back meanwhile counts when the rest is refunded', async () => {
    const { claim } = await payAtProvider(t, 'part-and-rest');
    const report = { ...(await paidReport(t, claim.claimId)), refundedMinor: PART };
    await t.fake.refund(claim.claimId, PART);
    const done = await whileHeld<unknown>(t.db, {
      hold: lockPaymentOf(claim),
      calls: [
        () => applyEvent(t.db, 'signed-webhook', eventOf('evt_part', report)),
        () => refundRow(t.db, { orderId: claim.claimId, restock: true }),
      ],
    });
    expect(done.filter(one => one instanceof Error)).toEqual([]);
    expect(await transfersOf(t, claim.claimId)).toEqual([
      ['capture', PRICE],
      ['refund', PART],
      ['refund', PRICE - PART],
    ]);
    await finishPayments(t);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'refunded', money: { returnedMinor: PRICE } });
    expect((await t.fake.payments()).find(({ orderId }) => orderId === claim.claimId)?.returned).toBe(2);
  });
});

describe('requests to pay', () => {
  test('two processes that pay one order from the wallet debit it once', async () => {
    const { claim, order } = await dueFromWallet('two-debits');
    const pay = () => payFromWallet(t.db, order);
    const outcomes = await whileHeld(t.db, { hold: lockOrder(claim), calls: [pay, pay], waiting: '%due AS%' });
    expect(outcomes).toEqual(['paid', 'not_payable']);
    expect(await readBalance(t.db, 'two-debits', 'EUR')).toBe(2 * PRICE);
  });

  test('an order that is cancelled at the same moment is not paid from the wallet', async () => {
    const { claim, order } = await dueFromWallet('cancels');
    const outcomes = await whileHeld(t.db, {
      hold: tx => tx.$executeRaw`UPDATE orders SET status = 'cancelled', reason = 'cancelled_by_buyer',
        cancelled_at = clock_timestamp(), version = version + 1 WHERE id = ${claim.claimId}::uuid`,
      calls: [() => payFromWallet(t.db, order)],
    });
    expect(outcomes).toEqual(['not_payable']);
    expect(await readBalance(t.db, 'cancels', 'EUR')).toBe(3 * PRICE);
  });

  test('two processes that record the payment of one order record one', async () => {
    const sale = await openTestSale(t, { priceMinor: PRICE, provider: 'signed-webhook' });
    const claim = await winOne(t, sale, 'two-requests');
    await placeOrders(t, { saleId: sale.id, claims: [claim] });
    const requested = await whileHeld(t.db, {
      hold: tx => tx.$executeRaw`
        INSERT INTO payments (order_id, provider, amount_minor, currency) VALUES (${claim.claimId}::uuid, 'signed-webhook', ${PRICE}, 'EUR')`,
      calls: [() => requestPayment(t.db, { orderId: claim.claimId, buyerId: claim.buyerId })],
    });
    expect(requested).toMatchObject([{ attempt: 1, status: 'requested' }]);
    expect(await t.db.payment.count({ where: { orderId: claim.claimId } })).toBe(1);
  });
});

describe('refunds', () => {
  test('two operators who give the same part back give it back once', async () => {
    const { claim, order } = await dueFromWallet('two-parts');
    await payFromWallet(t.db, order);
    const give = () => refundRowPartially(t.db, { orderId: order.orderId, amountMinor: PART, refundedMinor: 0 });
    const outcomes = await whileHeld(t.db, { hold: lockOrder(claim), calls: [give, give] });
    expect(outcomes).toEqual([
      expect.objectContaining({ kind: 'refunded', refundedMinor: PART }),
      { kind: 'changed_meanwhile', refundedMinor: PART },
    ]);
    expect(await readBalance(t.db, 'two-parts', 'EUR')).toBe(2 * PRICE + PART);
  });

  test('the second of two workers who begin a refund knows that it was begun', async () => {
    const { claim } = await payAtProvider(t, 'two-workers');
    await refundRow(t.db, { orderId: claim.claimId, restock: true });
    const payment = await paymentOf(t, claim.claimId);
    const begin = () => beginRefund(t.db, payment);
    const begun = await whileHeld(t.db, { hold: lockPaymentOf(claim), calls: [begin, begin] });
    expect(begun).toMatchObject([{ asksFirst: false }, { asksFirst: true }]);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ refundTries: 2, refunding: { amountMinor: PRICE } });
    await finishPayments(t);
  });

  test('a refund that is ended by hand while its answer is recorded is not paid twice', async () => {
    const { claim } = await payAtProvider(t, 'by-hand');
    await refundRow(t.db, { orderId: claim.claimId, restock: true });
    const ended = await whileHeld(t.db, {
      hold: tx => tx.$executeRaw`UPDATE payments SET status = 'refunded', returned_minor = ${PRICE}, refund_at = NULL
        WHERE order_id = ${claim.claimId}::uuid`,
      calls: [() => endRefundsByHand(t.db, claim.claimId, 'paid at the bank')],
    });
    expect(ended).toEqual([[]]);
    expect(await t.db.repair.count({ where: { claimId: claim.claimId } })).toBe(0);
  });

  test('late money waits for the process that is ending its order', async () => {
    const { claim } = await askToPay(t, 'ending');
    await t.fake.pay(claim.claimId);
    await backdateDeadlines(t, [claim]);
    const { payment } = await applyAnswer(t.db, 'signed-webhook', await paidReport(t, claim.claimId));
    if (!payment) throw new Error('no payment');
    expect(await refundLateMoney(t.db, payment)).toBe(false);
    const decided = await whileHeld(t.db, {
      hold: tx => tx.$executeRaw`UPDATE orders SET status = 'cancelled', reason = 'unpaid',
        cancelled_at = clock_timestamp(), version = version + 1 WHERE id = ${claim.claimId}::uuid`,
      calls: [() => refundLateMoney(t.db, payment)],
    });
    expect(decided).toEqual([true]);
    expect(await t.db.order.findUnique({ where: { id: claim.claimId } })).toMatchObject({
      reason: 'refunded_late_payment',
    });
    await finishPayments(t);
  });
});

describe('two batches with the same wallets in opposite orders', () => {
  /** A batch that locks a wallet at an end has to wait for the one in the middle, and meets the other batch there. */
  const namesOf = (prefix: string) => ['a', 'm', 'z'].map(letter => `${prefix}-${letter}`);
  const credit = { amountMinor: 3 * PRICE, currency: 'EUR' };
  const lockWalletOf = (buyerId: string) => (tx: Transaction) =>
    tx.$queryRaw`SELECT FROM accounts WHERE kind = 'buyer' AND owner = ${buyerId} FOR UPDATE`;

  /** Runs a batch in both orders of the buyers at once, and demands that none of the two has failed. */
  async function expectBoth(buyerIds: string[], meeting: { hold: Hold; batch: Batch }): Promise<void> {
    const orders = [buyerIds, buyerIds.toReversed()];
    const calls = orders.map(order => () => meeting.batch(order));
    const done = await whileHeld<unknown>(t.db, { hold: meeting.hold, calls });
    expect(done.filter(one => one instanceof Error)).toEqual([]);
  }
  type Hold = (tx: Transaction) => Promise<unknown>;
  type Batch = (buyerIds: string[]) => Promise<unknown>;

  test('both debit them', async () => {
    const buyerIds = namesOf('debited');
    await creditWallets(t.db, buyerIds, credit);
    await expectBoth(buyerIds, {
      hold: lockWalletOf('debited-m'),
      batch: async order => {
        const sale = await openTestSale(t, { units: 3, priceMinor: PRICE, settlement: 'immediate' });
        const claims = order.map((buyerId, i) => aClaim({ buyerId, unit: i + 1 }));
        return insertPaidOrders(t.db, sale.id, claims);
      },
    });
    for (const buyerId of buyerIds) expect(await readBalance(t.db, buyerId, 'EUR')).toBe(PRICE);
  });

  test('both credit them', async () => {
    const buyerIds = namesOf('credited');
    await creditWallets(t.db, buyerIds, credit);
    const batch = (order: string[]) => creditWallets(t.db, order, credit);
    await expectBoth(buyerIds, { hold: lockWalletOf('credited-m'), batch });
    for (const buyerId of buyerIds) expect(await readBalance(t.db, buyerId, 'EUR')).toBe(9 * PRICE);
  });

  test('both make them', async () => {
    const buyerIds = namesOf('made');
    await expectBoth(buyerIds, {
      hold: tx =>
        tx.$executeRaw`INSERT INTO accounts (kind, owner, currency, balance_minor) VALUES ('buyer', 'made-m', 'EUR', 0)`,
      batch: order => insertWallets(t.db, order, 'EUR'),
    });
    expect(await t.db.account.count({ where: { owner: { in: buyerIds } } })).toBe(3);
  });
});
