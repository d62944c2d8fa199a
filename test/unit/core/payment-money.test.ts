import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DISPUTE_STATES, type Dispute, disputedAmounts, joinDispute } from '#core/rules/dispute.js';
import type { PaymentReport } from '#core/rules/payment.js';
import {
  bookedDisputeMinor,
  conclude,
  mayBecome,
  owedMinor,
  type PaymentMoney,
  sendableMinor,
  takeReport,
  wentBackWhole,
} from '#core/rules/payment-money.js';
import { NO_MONEY } from '../../support/no-money.js';

const PRICE = 1_999;
const money = (change: Partial<PaymentMoney>): PaymentMoney => ({ status: 'open', ...NO_MONEY, ...change });

/** The provider's messages about one payment: the success, and totals that went back. */
const anyReports = fc.array(
  fc.integer({ min: 0, max: PRICE }).map(
    (refundedMinor): PaymentReport => ({
      paymentId: 'pi_1',
      state: refundedMinor === PRICE ? 'refunded' : 'paid',
      amountMinor: PRICE,
      currency: 'EUR',
      refundedMinor,
    }),
  ),
  { minLength: 1, maxLength: 6 },
);

const takeAll = (start: PaymentMoney, reports: readonly PaymentReport[], payable: boolean) =>
  reports.reduce((before, report) => {
    const after = takeReport(before, report, { payable }).money;
    expect(mayBecome(before.status, after.status)).toBe(true);
    return after;
  }, start);

const anyStart = fc.constantFrom<PaymentMoney>(
  money({ status: 'requested' }),
  money({ status: 'open' }),
  money({ status: 'failed' }),
  money({ status: 'paid', takenMinor: PRICE }),
  money({ status: 'paid', takenMinor: PRICE, refundMinor: 500 }),
  money({ status: 'refund_due', takenMinor: PRICE, refundMinor: PRICE }),
);

describe('reports of a provider', () => {
  test('reports in any order, and twice, lead to the same end', () => {
    const shuffled = anyReports.chain(reports =>
      fc.record({
        reports: fc.constant(reports),
        other: fc.shuffledSubarray([...reports, ...reports], { minLength: 2 * reports.length }),
      }),
    );
    fc.assert(
      fc.property(anyStart, shuffled, fc.boolean(), (start, { reports, other }, payable) => {
        expect(takeAll(start, other, payable)).toEqual(takeAll(start, reports, payable));
      }),
    );
  });

  test('amounts never sink, and no more goes back than was taken', () => {
    fc.assert(
      fc.property(anyStart, anyReports, fc.boolean(), (start, reports, payable) => {
        const end = takeAll(start, reports, payable);
        expect(end.returnedMinor).toBeGreaterThanOrEqual(start.returnedMinor);
        expect(end.returnedMinor).toBeLessThanOrEqual(end.takenMinor);
        expect(end.refundMinor).toBeLessThanOrEqual(end.takenMinor);
        if (end.status === 'paid') expect(end.refundMinor).toBeGreaterThanOrEqual(end.returnedMinor);
        if (end.status === 'refunded') expect(owedMinor(end)).toBe(0);
      }),
    );
  });

  test.each([
    ['a part of a paid order', { status: 'paid', takenMinor: PRICE }, 500, 'paid', 500, 'refunded_in_part'],
    ['all of a paid order', { status: 'paid', takenMinor: PRICE }, PRICE, 'paid', PRICE, 'refunded_elsewhere'],
    ['a part before the success', {}, 500, 'paid', 500, 'paid'],
    ['all of it before the success', {}, PRICE, 'paid', PRICE, 'refunded_elsewhere'],
    [
      'a part of what is owed',
      { status: 'refund_due', takenMinor: PRICE, refundMinor: PRICE },
      500,
      'refund_due',
      PRICE,
      'refunded_in_part',
    ],
    [
      'all that is owed',
      { status: 'refund_due', takenMinor: PRICE, refundMinor: PRICE },
      PRICE,
      'refunded',
      PRICE,
      'refunded',
    ],
    [
      'more than what is owed beside the wallet',
      { status: 'refund_due', takenMinor: PRICE, refundMinor: PRICE, compensatedMinor: 500 },
      PRICE - 499,
      'refunded',
      PRICE,
      'refunded_elsewhere',
    ],
    [
      'what is in the wallet already',
      { status: 'refunded', takenMinor: PRICE, refundMinor: PRICE, compensatedMinor: PRICE },
      PRICE,
      'refunded',
      PRICE,
      'refunded_elsewhere',
    ],
  ] as const)('%s', (_, start, refundedMinor, status, refundMinor, outcome) => {
    const report = { paymentId: 'pi_1', state: 'paid', amountMinor: PRICE, currency: 'EUR', refundedMinor } as const;
    const taken = takeReport(money(start), report, { payable: true });
    expect(taken).toMatchObject({ outcome, money: { status, refundMinor, returnedMinor: refundedMinor } });
  });
});

describe('a report', () => {
  const STATUSES = ['requested', 'open', 'failed', 'late', 'paid', 'refund_due', 'refunded'] as const;
  const report = { paymentId: 'pi_1', amountMinor: PRICE, currency: 'EUR' } as const;
  const taken = (status: PaymentMoney['status'], state: PaymentReport['state']) => {
    const { money: after, outcome } = takeReport(money({ status }), { ...report, state }, { payable: true });
    return [after.status, outcome];
  };

  test('of an open payment is news of one that was requested', () => {
    const after = STATUSES.map(status => taken(status, 'open'));
    expect(after).toEqual(STATUSES.map(status => [status === 'requested' ? 'open' : status, 'open']));
  });

  test('of a failure is news of a payment that was not decided, and known of any other', () => {
    const news = ['requested', 'open'];
    const after = STATUSES.map(status => taken(status, 'failed'));
    expect(after).toEqual(
      STATUSES.map(status => (news.includes(status) ? ['failed', 'failed'] : [status, 'repeated'])),
    );
  });

  test('of a refund without an amount means all of the money', () => {
    const paid = money({ status: 'paid', takenMinor: PRICE });
    const whole = takeReport(paid, { ...report, state: 'refunded' }, { payable: true });
    expect(whole).toMatchObject({ outcome: 'refunded_elsewhere', money: { returnedMinor: PRICE } });
    expect(takeReport(paid, { ...report, state: 'paid' }, { payable: true }).money.returnedMinor).toBe(0);
  });

  test.each([
    ['of money that went back before', { status: 'refund_due', refundMinor: PRICE, returnedMinor: 500 }, 500],
    ['of a refund that was decided here', { status: 'paid', refundMinor: 500 }, 500],
    ['of the rest beside the wallet', { status: 'refunded', refundMinor: PRICE, compensatedMinor: 500 }, PRICE - 500],
  ] as const)('%s is no news', (_, start, refundedMinor) => {
    const before = money({ takenMinor: PRICE, ...start });
    const { outcome } = takeReport(before, { ...report, state: 'paid', refundedMinor }, { payable: true });
    expect(outcome).toBe('repeated');
  });
});

test('money that went back through the provider and into the wallet counts together', () => {
  const paid = money({ status: 'paid', takenMinor: PRICE, returnedMinor: 500, compensatedMinor: 700 });
  expect(conclude(paid).refundMinor).toBe(1_200);
  expect(conclude({ ...paid, status: 'refunded' }).refundMinor).toBe(PRICE);
  expect(conclude({ ...paid, status: 'late' }).refundMinor).toBe(0);
});

test('money that went back without a refund here is that of a paid order, and all of it', () => {
  const whole = { takenMinor: PRICE, refundMinor: PRICE };
  const statuses = ['late', 'paid', 'refund_due', 'refunded'] as const;
  expect(statuses.filter(status => wentBackWhole(money({ status, ...whole })))).toEqual(['paid']);
  expect(wentBackWhole(money({ status: 'paid', takenMinor: PRICE, refundMinor: PRICE - 1 }))).toBe(false);
});

describe('disputes', () => {
  const anyDispute = fc.record<Dispute>({ state: fc.constantFrom(...DISPUTE_STATES), amountMinor: fc.nat(PRICE) });

  test('reports of a dispute in any order lead to the same end', () => {
    fc.assert(
      fc.property(anyDispute, anyDispute, anyDispute, (a, b, c) => {
        expect(joinDispute(joinDispute(a, b), c)).toEqual(joinDispute(joinDispute(c, b), a));
        expect(joinDispute(a, a)).toEqual(a);
      }),
    );
  });

  test('the largest amount of all reports counts, and the last state', () => {
    const joined = joinDispute({ state: 'lost', amountMinor: 500 }, { state: 'open', amountMinor: 800 });
    expect(joined).toEqual({ state: 'lost', amountMinor: 800 });
  });

  test('an open dispute stops a refund, and a lost one is the refund', () => {
    const due = money({ status: 'refund_due', takenMinor: PRICE, refundMinor: PRICE });
    const open = { ...due, ...disputedAmounts([{ state: 'open', amountMinor: PRICE }]) };
    expect([owedMinor(open), sendableMinor(open), bookedDisputeMinor(open)]).toEqual([PRICE, 0, 0]);
    const lost = { ...due, ...disputedAmounts([{ state: 'lost', amountMinor: PRICE }]) };
    expect(conclude(lost)).toMatchObject({ status: 'refunded' });
  });

  test('the money of a paid order that disputes withhold is booked', () => {
    const paid = money({ status: 'paid', takenMinor: PRICE });
    const held = disputedAmounts([
      { state: 'inquiry', amountMinor: 1 },
      { state: 'won', amountMinor: 10 },
      { state: 'open', amountMinor: 100 },
      { state: 'lost', amountMinor: 1_000 },
    ]);
    expect(held).toEqual({ withheldMinor: 100, lostMinor: 1_000 });
    expect(bookedDisputeMinor({ ...paid, ...held })).toBe(1_100);
  });
});

test('the status of a payment only moves forward, and may pass over others: its reports come in any order', () => {
  const inOrder = ['requested', 'open', 'failed', 'late', 'paid', 'refund_due', 'refunded'] as const;
  for (const [at, from] of inOrder.entries()) {
    expect([from, inOrder.filter(to => mayBecome(from, to))]).toEqual([from, inOrder.slice(at)]);
  }
  expect(mayBecome('late', 'open')).toBe(false);
});
