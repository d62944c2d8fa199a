import { isUndecided, owedMinor, type PaymentMoney, takeReport } from '#core/rules/payment-money.js';
import { nextRefund, takeRefusal, unansweredRefund } from '#core/rules/refund.js';
import type { HeldClaim } from './model/rows.js';
import { RULES, type Rules } from './model/rules.js';

/** A fault of money, put back into the rules. */
export interface Fault {
  fault: string;
  rules: Partial<Rules>;
  /** The seed of the first history to play, if only one in tens of thousands finds the fault. */
  seed?: number;
}

const addReturned = (money: PaymentMoney, moreMinor: number): PaymentMoney => ({
  ...money,
  returnedMinor: Math.min(money.takenMinor, money.returnedMinor + moreMinor),
});

/** Faults that the simulation must find. The first ones were in the product. */
export const FAULTS: readonly Fault[] = [
  {
    fault: 'a part that went back counts as all of it',
    rules: {
      takeReport: (before, report, order) => {
        const isPart = (report.refundedMinor ?? 0) > 0;
        return takeReport(before, isPart ? { ...report, state: 'refunded', refundedMinor: undefined } : report, order);
      },
    },
  },
  {
    fault: 'the event of a refund that comes before that of the payment is ignored',
    rules: {
      takeReport: (before, report, order) =>
        isUndecided(before.status) && (report.refundedMinor ?? 0) > 0
          ? { money: before, outcome: 'repeated' }
          : takeReport(before, report, order),
    },
  },
  {
    fault: 'a dispute is ignored',
    rules: { joinDispute: (_known, { amountMinor }) => ({ state: 'inquiry', amountMinor }) },
  },
  {
    fault: 'a refund that is refused twice is forgotten',
    rules: { refundAtAfterAnswer: ({ isProgress, planned, now }) => (isProgress && planned ? now : undefined) },
  },
  {
    fault: 'late money waits for the deadline although its order has ended',
    rules: { hasEnded: ({ status, payBy }, now) => status !== 'pending_payment' && payBy <= now },
  },
  {
    fault: 'a click in time is not counted by expiry',
    rules: { clickOf: () => undefined },
  },
  {
    fault: 'a click in time is not counted by a late worker',
    rules: { mayRecord: ({ status, payBy }, _clickedAt, now) => status === 'pending_payment' && payBy > now },
  },
  {
    fault: 'expiry cancels by a deadline that was moved meanwhile',
    rules: { isDeadlineRead: () => true },
    seed: 93_000,
  },
  {
    fault: 'another attempt begins while one waits for money',
    rules: { mayTryAgain: () => true },
  },
  {
    fault: 'expiry does not wait for the payment that a click in time began',
    rules: { isOverdue: ({ status, payBy }, _attempts, now) => status === 'pending_payment' && payBy <= now },
  },
  {
    fault: 'the time that a click waited is not added to the deadline',
    rules: { payUntil: ({ payBy }) => payBy },
  },
  {
    fault: 'an answer that comes after its event reopens the payment',
    rules: { statusOnceOpen: () => 'open' },
  },
  {
    fault: 'a repeated event is added up again',
    rules: {
      isNewEvent: () => true,
      takeReport: (before, report, order) => {
        const { money, outcome } = takeReport(before, { ...report, refundedMinor: 0, state: report.state }, order);
        return { money: RULES.conclude(addReturned(money, report.refundedMinor ?? 0)), outcome };
      },
    },
  },
  {
    fault: 'a refund is sent while the bank withholds the money',
    rules: {
      nextRefund: (money, unanswered) => nextRefund({ ...money, withheldMinor: 0 }, unanswered),
    },
  },
  {
    fault: 'a refused refund goes into the wallet whatever the provider says',
    rules: {
      takeRefusal: (before, refusal) => {
        const { paymentId, amountMinor, currency } = refusal.report;
        return takeRefusal(before, { ...refusal, report: { paymentId, state: 'paid', amountMinor, currency } });
      },
    },
  },
  {
    fault: 'a refund without an answer is repeated with another amount',
    rules: { nextRefund: money => nextRefund(money, null) },
  },
  {
    fault: 'a refund without an answer is made again without a question',
    rules: { takeAnswer: before => ({ money: before, sends: true }) },
  },
  {
    fault: 'a dispute erases the refund without an answer',
    rules: {
      unansweredRefund: (money, inFlight) => (money.withheldMinor > 0 ? null : unansweredRefund(money, inFlight)),
    },
    seed: 379_000,
  },
  {
    fault: 'a refusal that is known already pays once more',
    rules: { takeRefusal: (before, refusal) => takeRefusal(before, { ...refusal, unanswered: refusal.refund }) },
    seed: 300_000,
  },
  {
    fault: 'an old event takes a dispute back',
    rules: { joinDispute: (_known, { state, amountMinor }) => ({ state, amountMinor }) },
  },
  {
    fault: 'the total that went back sinks with an old event',
    rules: {
      takeReport: (before, report, order) => {
        const { money, outcome } = takeReport({ ...before, returnedMinor: 0 }, report, order);
        return { money, outcome };
      },
    },
  },
  {
    fault: 'an order is refunded twice',
    rules: { mayRefund: ({ status }) => status === 'paid' || status === 'refunded' },
  },
  {
    fault: 'a repeated request gives a part back again',
    rules: {
      mayRefundPart: ({ status, capturedMinor }, { amountMinor }) => status === 'paid' && amountMinor < capturedMinor,
    },
  },
  {
    fault: 'a release ends the claim that came after',
    rules: { mayRelease: (held): held is HeldClaim => held !== undefined && held.status !== 'ended' },
  },
  {
    fault: 'what is owed forgets the money that a dispute has cost',
    rules: { owedMinor: money => owedMinor({ ...money, lostMinor: 0 }) },
  },
];

/** The rules of the product with a fault. */
export function rulesWith({ rules }: Fault): Rules {
  return { ...RULES, ...rules };
}
