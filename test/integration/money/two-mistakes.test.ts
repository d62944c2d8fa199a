import { describe, expect, test } from '@jest/globals';
import { audit } from '#core/comparison/audit.js';
import { askProviders } from '#core/maintenance/ask-providers.js';
import { finishPayments } from '#core/maintenance/finish-payments.js';
import { refundOrderPartially } from '#core/operator/partial-refund.js';
import { refundOrder } from '#core/operator/refund-order.js';
import { endRefundsByHand } from '#core/postgres/money/due-refunds.js';
import { applyAnswer, applyEvent } from '#core/postgres/money/payment-report.js';
import { readBalances } from '#core/postgres/money/wallet.js';
import type { Claim } from '#core/rules/claim.js';
import type { PaymentReport } from '#core/rules/payment.js';
import type { Sale } from '#core/rules/sale.js';
import { cancelOrder } from '#core/steps/cancel-order.js';
import { orderOf, paidReport, paymentAtProvider, paymentOf, transfersOf } from '../../support/money/reading.js';
import { applyEvents, askToPay, PART, PRICE, payAtProvider, usePayments } from '../../support/payments.js';

// Two odd things at once about one payment. Each of them has tests alone elsewhere.

const t = usePayments();

/** A part that somebody returns at the provider, in minor units. */
const UNTOLD = 7;

const balancesOf = async ({ buyerId }: Claim) => readBalances(t.db, buyerId);
const expectProof = async (sale: Sale) => expect((await audit(t.db, t.redis, sale.id))?.violations).toEqual([]);
const eventOf = (eventId: string, report: PaymentReport) => ({ eventId, type: 'any', report });

/** Asks the provider about a payment now, and ends its refunds. */
async function askAndFinish({ claimId }: Claim): Promise<void> {
  await t.db.payment.updateMany({ where: { orderId: claimId }, data: { askAt: new Date(0) } });
  await askProviders(t);
  await finishPayments(t);
}

async function givePart({ claimId }: Claim): Promise<void> {
  await refundOrderPartially(t, { orderId: claimId, amountMinor: PART, refundedMinor: 0 });
}

/** Runs the due refunds until none is left. Nobody asks the provider about the payment but they. */
async function finishRounds({ claimId }: Claim): Promise<void> {
  for (let i = 0; i < 3; i += 1) {
    await t.db.payment.updateMany({
      where: { orderId: claimId, refundAt: { not: null } },
      data: { refundAt: new Date(0) },
    });
    await finishPayments(t);
  }
}

async function refusing(work: () => Promise<unknown>): Promise<void> {
  await t.fake.mood({ refuseRefunds: true });
  await work();
  await t.fake.mood({ refuseRefunds: false });
}

describe('other money than was asked for', () => {
  test.each([
    ['another currency', { currency: 'JPY' }],
    ['another amount and another currency', { amountMinor: 70_000, currency: 'JPY' }],
  ])('%s pays nothing, and all of it goes back', async (name, change) => {
    const { sale, claim } = await askToPay(t, name.replaceAll(' ', '-'));
    await t.fake.pay(claim.claimId, change);
    await applyEvents(t, claim);
    await askAndFinish(claim);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'pending_payment' });
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', returned: 1, ...change });
    expect([await balancesOf(claim), await transfersOf(t, claim.claimId)]).toEqual([[], []]);
    await expectProof(sale);
  });

  test('in another currency, whose refund is refused, it comes into a wallet of its currency', async () => {
    const { sale, claim } = await askToPay(t, 'yen');
    await t.fake.pay(claim.claimId, { amountMinor: 70_000, currency: 'JPY' });
    await refusing(() => askAndFinish(claim));
    await finishPayments(t);
    expect(await balancesOf(claim)).toEqual([{ currency: 'JPY', balanceMinor: 70_000 }]);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'refunded', takenCurrency: 'JPY' });
    await expectProof(sale);
  });

  test('of which the provider has returned a part by itself, only the rest goes back', async () => {
    const { sale, claim } = await askToPay(t, 'more-and-part');
    await t.fake.pay(claim.claimId, { amountMinor: PRICE + PART });
    await t.fake.refund(claim.claimId, PART);
    await askAndFinish(claim);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({
      status: 'refunded',
      refundedMinor: PRICE + PART,
      returned: 2,
    });
    await expectProof(sale);
  });

  test('that comes late goes back without buying a unit or being booked', async () => {
    const { sale, claim } = await askToPay(t, 'more-and-late');
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await t.fake.pay(claim.claimId, { amountMinor: PRICE + 1 });
    await applyEvents(t, claim);
    await askAndFinish(claim);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', refundedMinor: PRICE + 1 });
    expect(await orderOf(t, claim.claimId)).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_buyer' });
    expect(await transfersOf(t, claim.claimId)).toEqual([]);
    await expectProof(sale);
  });

  test('is a mistake of an event about a paid order, and changes nothing', async () => {
    const { sale, claim } = await payAtProvider(t, 'says-more');
    const report = { ...(await paidReport(t, claim.claimId)), amountMinor: PRICE + 1 };
    expect((await applyEvent(t.db, 'signed-webhook', eventOf('evt_more', report))).outcome).toBe('mismatch');
    expect((await applyAnswer(t.db, 'signed-webhook', report)).outcome).toBe('mismatch');
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'paid', mismatch: null });
    await expectProof(sale);
  });

  test('about a payment of somebody else is no answer about ours', async () => {
    const { claim } = await askToPay(t, 'of-another');
    const report = { ...(await paidReport(t, claim.claimId)), paymentId: 'pi_of_another', amountMinor: 1 };
    expect((await applyAnswer(t.db, 'signed-webhook', report)).outcome).toBe('mismatch');
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'open', mismatch: null });
  });
});

describe('late money', () => {
  test('comes into the wallet once if its refund is refused, and the buyer learns the reason', async () => {
    const { sale, claim } = await askToPay(t, 'late-and-refused', { lateMoney: 'refund' });
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await t.fake.pay(claim.claimId);
    await applyEvents(t, claim, { times: 2 });
    await refusing(() => finishPayments(t));
    await finishPayments(t);
    expect(await balancesOf(claim)).toEqual([{ currency: 'EUR', balanceMinor: PRICE }]);
    expect(await orderOf(t, claim.claimId)).toMatchObject({ reason: 'refunded_late_payment' });
    await expectProof(sale);
  });

  test('of which a part came back, and whose refund is refused, brings the rest into the wallet', async () => {
    const { sale, claim } = await askToPay(t, 'late-part-refused', { lateMoney: 'refund' });
    await cancelOrder(t, { saleId: sale.id, ...claim });
    await t.fake.pay(claim.claimId);
    await t.fake.refund(claim.claimId, PART);
    await applyEvents(t, claim, { type: 'charge.refunded', times: 2 });
    await refusing(() => finishPayments(t));
    expect(await balancesOf(claim)).toEqual([{ currency: 'EUR', balanceMinor: PRICE - PART }]);
    await expectProof(sale);
  });
});

describe('a refused refund', () => {
  test('adds to a wallet that has money', async () => {
    for (const total of [PRICE, 2 * PRICE]) {
      const { claim } = await payAtProvider(t, 'twice-refused');
      await refundOrder(t, { orderId: claim.claimId, restock: true });
      await refusing(() => finishPayments(t));
      expect(await balancesOf(claim)).toEqual([{ currency: 'EUR', balanceMinor: total }]);
    }
  });

  test.each([
    ['into the wallet', (claim: Claim) => givePart(claim).then(() => refusing(() => finishPayments(t)))],
    [
      'by hand',
      (claim: Claim) => givePart(claim).then(() => endRefundsByHand(t.db, claim.claimId, 'by bank transfer')),
    ],
  ])(
    'of a part that went %s leaves less to give back, also beside a return of which nobody has told',
    async (how, pay) => {
      const { sale, claim } = await payAtProvider(t, `otherwise-${how.replaceAll(' ', '-')}`);
      await pay(claim);
      // The event is lost. Within its own limit, the provider would return more than the rest.
      await t.fake.refund(claim.claimId, UNTOLD);
      await refundOrder(t, { orderId: claim.claimId, restock: true });
      await finishRounds(claim);
      expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ refundedMinor: PRICE - PART, returned: 2 });
      expect(await paymentOf(t, claim.claimId)).toMatchObject({
        status: 'refunded',
        money: { returnedMinor: PRICE - PART, compensatedMinor: PART },
      });
      await expectProof(sale);
    },
  );

  test('of a payment that its provider has lost is paid out neither by it nor into the wallet', async () => {
    const { claim } = await payAtProvider(t, 'refused-and-unknown');
    const { paymentId } = await paymentOf(t, claim.claimId);
    await refundOrder(t, { orderId: claim.claimId, restock: true });
    const name = (providerPaymentId: string) =>
      t.db.payment.updateMany({
        where: { orderId: claim.claimId },
        data: { providerPaymentId, refundAt: new Date(0) },
      });
    await name('pi_lost');
    await refusing(async () => {
      for (const time of ['first', 'second']) {
        await expect(finishPayments(t)).rejects.toThrow('unknown');
        await name(`pi_lost_${time}`);
      }
    });
    expect(await balancesOf(claim)).toEqual([]);
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'refund_due', money: { compensatedMinor: 0 } });
    // The provider finds it again, and makes the refund once.
    await name(paymentId ?? '');
    await finishPayments(t);
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', returned: 1 });
    expect(await balancesOf(claim)).toEqual([]);
  });
});

describe('events twice and in the wrong order', () => {
  test('a failure after the payment, and the payment before the beginning, leave the order paid', async () => {
    const { sale, claim } = await payAtProvider(t, 'reordered');
    const report = await paidReport(t, claim.claimId);
    const late = [
      { ...report, state: 'failed' as const },
      { ...report, state: 'open' as const },
    ];
    for (const [i, one] of [...late, ...late].entries()) {
      await applyEvent(t.db, 'signed-webhook', eventOf(`evt_reordered_${i}`, one));
    }
    expect(await paymentOf(t, claim.claimId)).toMatchObject({ status: 'paid' });
    await refundOrder(t, { orderId: claim.claimId, restock: true });
    await finishPayments(t);
    expect(await paymentAtProvider(t, claim.claimId)).toMatchObject({ status: 'refunded', returned: 1 });
    await expectProof(sale);
  });

  test('a refund whose event comes twice before that of its payment is booked once', async () => {
    const { sale, claim } = await askToPay(t, 'refund-first');
    await t.fake.pay(claim.claimId);
    await t.fake.refund(claim.claimId, PART);
    await applyEvents(t, claim, { type: 'charge.refunded', times: 2 });
    await applyEvents(t, claim, { times: 2 });
    await applyEvents(t, claim, { type: 'charge.refunded', times: 2 });
    expect(await transfersOf(t, claim.claimId)).toEqual([
      ['capture', PRICE],
      ['refund', PART],
    ]);
    await expectProof(sale);
  });
});
