import type { PaymentReport } from './payment.js';

// The rules of a payment's money, without clocks and stores. Amounts are in minor units of the money that was taken. The
// provider's messages carry totals, and the totals of what goes back and went back only grow. So messages that come twice
// or in another order lead to the same end. The amount that a dispute withholds falls again when the dispute ends.

/**
 * The statuses of an attempt to pay an order. `requested`: recorded here, but the provider may not know it. `late`: the
 * money arrived after the order had ended, and nobody has decided about it. `refund_due`: all of the money is to go
 * back. `refunded`: all of it went back.
 */
export type PaymentStatus = 'requested' | 'open' | 'failed' | 'paid' | 'late' | 'refund_due' | 'refunded';

/** The only changes of a payment's status. Money counts even after a failure, as a provider's events come in any order. */
export const PAYMENT_TRANSITIONS: Readonly<Record<PaymentStatus, readonly PaymentStatus[]>> = {
  requested: ['open', 'failed', 'paid', 'late', 'refund_due', 'refunded'],
  open: ['failed', 'paid', 'late', 'refund_due', 'refunded'],
  failed: ['paid', 'late', 'refund_due', 'refunded'],
  late: ['paid', 'refund_due', 'refunded'],
  paid: ['refund_due', 'refunded'],
  refund_due: ['refunded'],
  refunded: [],
};

/** The status of a payment and its amounts. */
export interface PaymentMoney {
  status: PaymentStatus;
  /** The money that the provider took; 0 before it took any. */
  takenMinor: number;
  /** The total that is to go back: decided here, or done at the provider. */
  refundMinor: number;
  /** The total that the provider returned, in its own words. */
  returnedMinor: number;
  /** The total that went back without the provider: into the wallet, or by hand. */
  compensatedMinor: number;
  /** The money that the buyer's bank withholds, as a dispute is open. */
  withheldMinor: number;
  /** The money that the buyer's bank keeps, as a dispute is lost. */
  lostMinor: number;
}

/**
 * The outcome of a provider's report about a payment. `late`: the order had ended. `repeated`: the report was known
 * before. `mismatch`: payment id, amount, currency or order differ from the request, so the provider is asked before
 * anything follows. `refunded_in_part`: the provider returned a part of the money. `refunded_elsewhere`: it returned all
 * of a paid order's money without our request, or money that the buyer has in the wallet; the same report may have paid
 * the order. `disputed`, `dispute_closed`: a dispute about the payment began or ended. `unknown_payment`: the report names
 * an order that has no such payment. `foreign`: it names none, so it belongs to somebody else who uses the same account.
 * `ignored`: the event reports nothing about a payment, or so little that the provider is asked.
 */
export type ReportOutcome =
  | 'open'
  | 'paid'
  | 'late'
  | 'failed'
  | 'refunded'
  | 'refunded_in_part'
  | 'repeated'
  | 'mismatch'
  | 'refunded_elsewhere'
  | 'disputed'
  | 'dispute_closed'
  | 'unknown_payment'
  | 'foreign'
  | 'ignored';

/** A payment after a report, and what became of the report. */
export interface TakenReport {
  money: PaymentMoney;
  outcome: ReportOutcome;
}

/** Tells whether a payment with this status has taken no money as far as Dropline knows. */
export function isUndecided(status: PaymentStatus): boolean {
  return status === 'requested' || status === 'open' || status === 'failed';
}

/** Returns what is to go back and has not: neither from the provider, nor otherwise, nor through a lost dispute. */
export function owedMinor({ refundMinor, returnedMinor, compensatedMinor, lostMinor }: PaymentMoney): number {
  return Math.max(0, refundMinor - returnedMinor - compensatedMinor - lostMinor);
}

/** Returns what can go back now. While a dispute is open, the bank may give the buyer the same money. */
export function sendableMinor(money: PaymentMoney): number {
  return money.withheldMinor > 0 ? 0 : owedMinor(money);
}

/**
 * Returns what the ledger shows as withheld because of disputes. Money whose refund is booked and has not gone out is
 * not withheld a second time.
 */
export function bookedDisputeMinor(money: PaymentMoney): number {
  const held = money.withheldMinor + money.lostMinor;
  const booked = Math.max(0, money.refundMinor - money.returnedMinor - money.compensatedMinor);
  return held - Math.min(held, booked);
}

/** Tells whether all the money of a paid order went back, although nobody refunded the order here. */
export function wentBackWhole({ status, takenMinor, refundMinor }: PaymentMoney): boolean {
  return status === 'paid' && refundMinor >= takenMinor;
}

/**
 * Returns what the buyer got through lost disputes beyond the refunds that are booked. A refund that is decided later
 * comes on top of it.
 */
export function keptMinor(money: PaymentMoney): number {
  return bookedDisputeMinor({ ...money, withheldMinor: 0 });
}

/** Tells whether a payment may pass from one status to another. */
export function mayBecome(from: PaymentStatus, to: PaymentStatus): boolean {
  return from === to || PAYMENT_TRANSITIONS[from].includes(to);
}

/**
 * Draws the conclusions from a payment's amounts. Money that went back of a paid order counts as refunded, and a payment
 * that owes nothing more is refunded.
 */
export function conclude(money: PaymentMoney): PaymentMoney {
  const { status, takenMinor, refundMinor, returnedMinor, compensatedMinor } = money;
  if (status === 'paid') {
    const refund = Math.min(takenMinor, Math.max(refundMinor, returnedMinor + compensatedMinor));
    return { ...money, refundMinor: refund };
  }
  const whole = { ...money, refundMinor: takenMinor };
  if (status === 'refund_due') return owedMinor(whole) === 0 ? { ...whole, status: 'refunded' } : whole;
  return status === 'refunded' ? whole : money;
}

/**
 * Takes a provider's report about a payment whose amount and currency are those that were asked for.
 *
 * @param order `payable`: whether the payment's order is unpaid and its deadline has not passed
 */
export function takeReport(
  before: PaymentMoney,
  report: PaymentReport,
  { payable }: { payable: boolean },
): TakenReport {
  const { status } = before;
  if (report.state === 'open') {
    return { money: status === 'requested' ? { ...before, status: 'open' } : before, outcome: 'open' };
  }
  if (report.state === 'failed') {
    if (status !== 'requested' && status !== 'open') return { money: before, outcome: 'repeated' };
    return { money: { ...before, status: 'failed' }, outcome: 'failed' };
  }
  const taken: PaymentMoney = isUndecided(status)
    ? { ...before, status: payable ? 'paid' : 'late', takenMinor: report.amountMinor }
    : before;
  const money = conclude({ ...taken, returnedMinor: returnedAfter(taken, report) });
  return { money, outcome: outcomeOf(before, money) };
}

/**
 * Takes a report of money that nobody asked for in this amount or currency. All of it is to go back.
 */
export function takeUnwanted(before: PaymentMoney, report: PaymentReport): PaymentMoney {
  const taken: PaymentMoney = { ...before, status: 'refund_due', takenMinor: report.amountMinor };
  return conclude({ ...taken, returnedMinor: returnedAfter(taken, report) });
}

/** Returns the total that a provider has returned, after its report. It never sinks, and never exceeds what was taken. */
function returnedAfter({ takenMinor, returnedMinor }: PaymentMoney, report: PaymentReport): number {
  const told = report.refundedMinor ?? (report.state === 'refunded' ? takenMinor : 0);
  return Math.max(returnedMinor, Math.min(takenMinor, told));
}

function outcomeOf(before: PaymentMoney, after: PaymentMoney): ReportOutcome {
  if (isUndecided(before.status)) {
    if (after.status !== 'paid') return 'late';
    // The news of the refund came before that of the payment.
    return wentBackWhole(after) ? 'refunded_elsewhere' : 'paid';
  }
  const isNews = after.returnedMinor > before.returnedMinor;
  if (isNews && after.returnedMinor + after.compensatedMinor > after.takenMinor) return 'refunded_elsewhere';
  if (after.status === 'refunded' && before.status !== 'refunded') return 'refunded';
  if (!isNews || after.status === 'refunded') return 'repeated';
  if (after.status !== 'paid') return 'refunded_in_part';
  // The answer to our own refund may come after its event.
  if (after.refundMinor === before.refundMinor) return 'repeated';
  return wentBackWhole(after) ? 'refunded_elsewhere' : 'refunded_in_part';
}
