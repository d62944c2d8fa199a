import { expect, test } from '@jest/globals';
import type { PaymentReport } from '#core/rules/payment.js';
import {
  bookedDisputeMinor,
  isUndecided,
  keptMinor,
  type PaymentMoney,
  type PaymentStatus,
  takeReport,
  takeUnwanted,
} from '#core/rules/payment-money.js';
import { NO_MONEY } from '../../../support/no-money.js';

const PRICE = 1_000;
const paid: PaymentMoney = { ...NO_MONEY, status: 'paid', takenMinor: PRICE };
const report = (change: Partial<PaymentReport> = {}): PaymentReport => ({
  paymentId: 'pi_1',
  state: 'paid',
  amountMinor: PRICE,
  currency: 'EUR',
  ...change,
});

test('a payment is undecided until its money is taken, also after a failure', () => {
  const statuses: PaymentStatus[] = ['requested', 'open', 'failed', 'paid', 'late', 'refund_due', 'refunded'];
  expect(statuses.filter(isUndecided)).toEqual(['requested', 'open', 'failed']);
});

test('of what disputes hold, the ledger shows what no booked refund waits for', () => {
  const held = { ...paid, withheldMinor: 60, lostMinor: 40 };
  expect(bookedDisputeMinor(held)).toBe(100);
  expect(bookedDisputeMinor({ ...held, refundMinor: 80 })).toBe(20);
  expect(bookedDisputeMinor({ ...held, refundMinor: 80, returnedMinor: 30, compensatedMinor: 20 })).toBe(70);
  expect(bookedDisputeMinor({ ...held, refundMinor: 80, returnedMinor: 80, compensatedMinor: 20 })).toBe(100);
  expect(bookedDisputeMinor({ ...held, refundMinor: 300 })).toBe(0);
});

test('a buyer keeps what lost disputes gave back beyond the booked refunds, and nothing of open ones', () => {
  expect(keptMinor({ ...paid, withheldMinor: 60, lostMinor: 40 })).toBe(40);
  expect(keptMinor({ ...paid, withheldMinor: 60, lostMinor: 40, refundMinor: 30 })).toBe(10);
  expect(keptMinor({ ...paid, withheldMinor: 60 })).toBe(0);
});

test('money that nobody asked for is to go back whole, but for what has gone back', () => {
  const before: PaymentMoney = { ...NO_MONEY, status: 'open' };
  const unwanted = { status: 'refund_due', takenMinor: 7, refundMinor: 7, returnedMinor: 0 };
  expect(takeUnwanted(before, report({ amountMinor: 7 }))).toEqual({ ...NO_MONEY, ...unwanted });
  expect(takeUnwanted(before, report({ amountMinor: 7, refundedMinor: 3 }))).toEqual({
    ...NO_MONEY,
    ...unwanted,
    returnedMinor: 3,
  });
  expect(takeUnwanted(before, report({ amountMinor: 7, state: 'refunded' }))).toEqual({
    ...NO_MONEY,
    ...unwanted,
    status: 'refunded',
    returnedMinor: 7,
  });
});

test.each([
  { name: 'money in time', payable: true, told: {}, status: 'paid', outcome: 'paid' },
  { name: 'money after the end', payable: false, told: {}, status: 'late', outcome: 'late' },
  {
    name: 'money of which a part went back',
    payable: true,
    told: { refundedMinor: 1 },
    status: 'paid',
    outcome: 'paid',
  },
  {
    name: 'money that went back whole',
    payable: true,
    told: { refundedMinor: PRICE },
    status: 'paid',
    outcome: 'refunded_elsewhere',
  },
  {
    name: 'money after the end that went back whole',
    payable: false,
    told: { state: 'refunded' as const },
    status: 'late',
    outcome: 'late',
  },
])('the first news of $name is $outcome', ({ payable, told, status, outcome }) => {
  const before: PaymentMoney = { ...NO_MONEY, status: 'failed' };
  expect(takeReport(before, report(told), { payable })).toMatchObject({
    outcome,
    money: { status, takenMinor: PRICE },
  });
});
