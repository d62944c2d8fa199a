import type { PaymentReport } from './payment.js';
import { conclude, owedMinor, type PaymentMoney, sendableMinor, takeReport } from './payment-money.js';

// The rules of a refund at a provider, without clocks and stores. Amounts are in minor units of the money that was taken.
// A process may be held up for any time between asking the provider and recording the answer. So an answer counts as
// one about a refund only while that refund is the unanswered one. The totals in it count at any time.

/** A refund that is asked for at the provider. Repeated, it has the same amount and the same key. */
export interface RefundInFlight {
  amountMinor: number;
  /** The total that the provider had returned before. */
  fromMinor: number;
}

/**
 * A refund to ask the provider for. `asksFirst`: before it is sent, the provider is asked what went back. It was sent
 * before, without an answer. Or a part went back without the provider, which then would return more than the rest.
 */
export interface BegunRefund extends RefundInFlight {
  asksFirst: boolean;
}

/**
 * Returns a refund in flight, unless the provider has made it. Any message with a total that includes the refund answers
 * it, also an event.
 */
export function unansweredRefund(
  { returnedMinor }: PaymentMoney,
  inFlight: RefundInFlight | null,
): RefundInFlight | null {
  return inFlight && returnedMinor < inFlight.fromMinor + inFlight.amountMinor ? inFlight : null;
}

/**
 * Chooses the refund that a provider is asked for next. One without an answer is repeated as it was, so that the
 * provider makes it once.
 *
 * @param unanswered the refund that the provider has not answered. It stays so while a dispute stops the next one
 * @returns undefined when nothing is to be sent: nothing is owed any more, or a dispute is open
 */
export function nextRefund(money: PaymentMoney, unanswered: RefundInFlight | null): BegunRefund | undefined {
  const amountMinor = sendableMinor(money);
  if (amountMinor === 0) return undefined;
  const asksFirst = unanswered !== null || money.compensatedMinor > 0;
  return { ...(unanswered ?? { amountMinor, fromMinor: money.returnedMinor }), asksFirst };
}

/** Takes the provider's answer that it has made a refund. The total that it returned never sinks. */
export function takeReturned(money: PaymentMoney, { fromMinor, amountMinor }: RefundInFlight): PaymentMoney {
  const told = Math.min(money.takenMinor, fromMinor + amountMinor);
  return conclude({ ...money, returnedMinor: Math.max(money.returnedMinor, told) });
}

/** Tells whether a refund is the one that is unanswered. If not, another process has dealt with it meanwhile. */
export function isUnanswered(refund: RefundInFlight, unanswered: RefundInFlight | null): boolean {
  return unanswered?.amountMinor === refund.amountMinor && unanswered.fromMinor === refund.fromMinor;
}

/** A provider's answer to a question about a payment, because of a refund that has begun. */
export interface RefundAnswer {
  refund: RefundInFlight;
  /** The refund that the payment waits for now. */
  unanswered: RefundInFlight | null;
  report: PaymentReport;
}

/**
 * Tells whether a refund that the provider has not made is still to be made as it is. Other money may have gone back
 * since, or a dispute may have been lost.
 *
 * @param money the amounts after the provider was asked
 */
export function isStillOwed(money: PaymentMoney, { amountMinor, fromMinor }: RefundInFlight): boolean {
  return money.returnedMinor === fromMinor && amountMinor <= owedMinor(money);
}

/**
 * Takes a provider's answer about a payment before a refund of it is sent. Providers forget idempotency keys, so one
 * without an answer is sent again only if the provider has not made it.
 */
export function takeAnswer(
  before: PaymentMoney,
  { refund, unanswered, report }: RefundAnswer,
): { money: PaymentMoney; sends: boolean } {
  const { money } = takeReport(before, report, { payable: false });
  return { money, sends: isUnanswered(refund, unanswered) && isStillOwed(money, refund) };
}

/**
 * Takes a provider's answer about a payment after it refused a refund. If the provider has returned more than was known,
 * the rest is asked for again. If it still has the money, the buyer gets it into the wallet. A refusal that is known
 * already moves nothing, as the next refund may be on its way.
 */
export function takeRefusal(
  before: PaymentMoney,
  { refund, unanswered, report }: RefundAnswer,
): { money: PaymentMoney; walletMinor: number } {
  const { money } = takeReport(before, report, { payable: false });
  const isNews = money.returnedMinor > before.returnedMinor;
  const isHeld = (report.disputedMinor ?? 0) > 0;
  const walletMinor = isNews || isHeld || !isUnanswered(refund, unanswered) ? 0 : sendableMinor(money);
  return { money: conclude({ ...money, compensatedMinor: money.compensatedMinor + walletMinor }), walletMinor };
}
