import { describe, expect, test } from '@jest/globals';
import type { PaymentReport } from '#core/rules/payment.js';
import type { PaymentMoney } from '#core/rules/payment-money.js';
import {
  isUnanswered,
  nextRefund,
  type RefundInFlight,
  takeAnswer,
  takeRefusal,
  takeReturned,
  unansweredRefund,
} from '#core/rules/refund.js';
import { NO_MONEY } from '../../support/no-money.js';

const PRICE = 1_999;
const OWED: PaymentMoney = { ...NO_MONEY, status: 'refund_due', takenMinor: PRICE, refundMinor: PRICE };
const WHOLE = { amountMinor: PRICE, fromMinor: 0 };

const answer = (more: Partial<PaymentReport> = {}): PaymentReport => {
  return { paymentId: 'pi_1', state: 'paid', amountMinor: PRICE, currency: 'EUR', ...more };
};

describe('a refund at a provider', () => {
  test('one without an answer is repeated as it was, whatever is owed now', () => {
    expect(nextRefund(OWED, null)).toEqual({ ...WHOLE, asksFirst: false });
    const unanswered = { amountMinor: 500, fromMinor: 0 };
    expect(nextRefund(OWED, unanswered)).toEqual({ ...unanswered, asksFirst: true });
    expect(nextRefund({ ...OWED, withheldMinor: PRICE }, unanswered)).toBeUndefined();
    expect(nextRefund({ ...OWED, returnedMinor: PRICE }, null)).toBeUndefined();
  });

  test('beside money that went back without the provider, it is asked first', () => {
    expect(nextRefund({ ...OWED, returnedMinor: 1 }, null)).toMatchObject({ asksFirst: false });
    const rest = { amountMinor: PRICE - 2, fromMinor: 1 };
    expect(nextRefund({ ...OWED, returnedMinor: 1, compensatedMinor: 1 }, null)).toEqual({ ...rest, asksFirst: true });
  });

  test('the total that went back never sinks, and is never more than was taken', () => {
    expect(takeReturned(OWED, WHOLE)).toMatchObject({ status: 'refunded', returnedMinor: PRICE });
    const later = { ...OWED, returnedMinor: 900 };
    expect(takeReturned(later, { amountMinor: 500, fromMinor: 0 }).returnedMinor).toBe(900);
    expect(takeReturned(later, { amountMinor: PRICE, fromMinor: 500 }).returnedMinor).toBe(PRICE);
  });

  test('one in flight is answered once the total includes it', () => {
    const inFlight = { amountMinor: 70, fromMinor: 30 };
    const left = (returnedMinor: number) => unansweredRefund({ ...OWED, returnedMinor }, inFlight);
    expect([left(30), left(99), left(100), left(101)]).toEqual([inFlight, inFlight, null, null]);
    expect(unansweredRefund(OWED, null)).toBeNull();
  });

  test('one without an answer is repeated unless it was made, or other money has gone back', () => {
    const refund = { amountMinor: 70, fromMinor: 0 };
    const before = { ...OWED, status: 'paid', refundMinor: 70 } as const;
    const cases = [{}, { refundMinor: 90 }, { lostMinor: 50 }, { compensatedMinor: 1 }];
    const sends = (change: Partial<PaymentMoney>, refundedMinor = 0, unanswered: RefundInFlight | null = refund) =>
      takeAnswer({ ...before, ...change }, { refund, unanswered, report: answer({ refundedMinor }) }).sends;
    expect(cases.map(change => sends(change))).toEqual([true, true, false, false]);
    expect([20, 70].map(refundedMinor => sends({}, refundedMinor))).toEqual([false, false]);
    // As much is owed, but after money that went back otherwise.
    expect(sends({ refundMinor: 90 }, 20)).toBe(false);
    // Another process has dealt with it meanwhile, and perhaps begun the next one.
    const others = [null, { amountMinor: 90, fromMinor: 0 }, { amountMinor: 70, fromMinor: 1 }];
    expect(others.filter(other => sends({ refundMinor: 90 }, 0, other))).toEqual([]);
  });

  test('money that the provider refuses to return goes into the wallet, if it still has it', () => {
    const refusal = { refund: WHOLE, unanswered: WHOLE };
    expect(takeRefusal(OWED, { ...refusal, report: answer() })).toMatchObject({
      walletMinor: PRICE,
      money: { status: 'refunded', compensatedMinor: PRICE },
    });
    expect(takeRefusal(OWED, { ...refusal, report: answer({ disputedMinor: PRICE }) }).walletMinor).toBe(0);
    expect(takeRefusal(OWED, { ...refusal, report: answer({ refundedMinor: 800 }) })).toMatchObject({
      walletMinor: 0,
      money: { status: 'refund_due', returnedMinor: 800 },
    });
  });

  test('a refusal that another process has recorded moves nothing', () => {
    const before = { ...OWED, returnedMinor: 800 };
    const report = answer({ refundedMinor: 800 });
    const next = { amountMinor: 1_199, fromMinor: 800 };
    for (const unanswered of [next, null]) {
      expect(isUnanswered(WHOLE, unanswered)).toBe(false);
      expect(takeRefusal(before, { refund: WHOLE, unanswered, report })).toEqual({ money: before, walletMinor: 0 });
    }
    expect(isUnanswered(WHOLE, { ...WHOLE })).toBe(true);
  });
});
