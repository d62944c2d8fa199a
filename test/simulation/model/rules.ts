import { joinDispute } from '#core/rules/dispute.js';
import {
  bookedDisputeMinor,
  conclude,
  isUndecided,
  keptMinor,
  mayBecome,
  owedMinor,
  type PaymentMoney,
  type PaymentStatus,
  sendableMinor,
  takeReport,
  takeUnwanted,
} from '#core/rules/payment-money.js';
import {
  isUnanswered,
  nextRefund,
  takeAnswer,
  takeRefusal,
  takeReturned,
  unansweredRefund,
} from '#core/rules/refund.js';
import type { Attempt, HeldClaim, Order } from './rows.js';

// The rules under which a history runs. Most are the product's own functions. The others exist in the product only as a
// condition of a statement or a script: each is modelled by a function here, next to the name of what it stands for.

/** The longest time that an order is kept beyond its deadline for a click in time, in s. */
const KEPT_MAX = 60;
const ASK_FIRST = 5;
const ASK_MAX = 600;
const ASK_UNTIL = 24 * 3_600;
const ATTEMPTS_MAX = 10;

/** `PAY_UNTIL`: the time until which an order can be paid by a payment. */
function payUntil({ payBy }: Order, { waited }: Attempt): number {
  return payBy + waited;
}

/** `waited_ms`: how long the click in time of a payment that is recorded now had to wait. */
function waitedBy({ payBy }: Order, clickedAt: number | undefined, now: number): number {
  return clickedAt !== undefined && clickedAt < payBy ? Math.min(KEPT_MAX, Math.max(0, now - clickedAt)) : 0;
}

/** `isPayable`: whether a payment may still be recorded for an order. */
function mayRecord({ status, payBy }: Order, clickedAt: number | undefined, now: number): boolean {
  if (status !== 'pending_payment') return false;
  return payBy > now || (clickedAt !== undefined && clickedAt < payBy && payBy + KEPT_MAX > now);
}

/** `IS_OVERDUE`: whether the time to pay an order is over, also for the payments under way. */
function isOverdue(order: Order, attempts: readonly Attempt[], now: number): boolean {
  if (order.status !== 'pending_payment' || order.payBy > now) return false;
  return !attempts.some(one => {
    const { status } = one.money;
    return one.orderId === order.id && (status === 'requested' || status === 'open') && payUntil(order, one) > now;
  });
}

/** expireRows: whether an order still has the deadline for which Redis was asked for a click. */
function isDeadlineRead({ payBy }: Order, readPayBy: number): boolean {
  return payBy === readPayBy;
}

/** The WHERE of requestPayment: another attempt may follow when every earlier one is over. */
function mayTryAgain(attempts: readonly Attempt[]): boolean {
  const isOver = ({ money: { status } }: Attempt) =>
    status === 'failed' || status === 'refund_due' || status === 'refunded';
  return attempts.length < ATTEMPTS_MAX && attempts.every(isOver);
}

/** `ask_at` of requestPayment: no job calls the provider at once after a click that has waited. */
function firstAsk(order: Order, clickedAt: number | undefined, now: number): number | undefined {
  return clickedAt !== undefined && clickedAt < now - ASK_FIRST ? now : nextAsk(order, 0, now);
}

/** askAgainLater: questions about decided money end only with an answer. */
function askAgain(order: Order, { asked, money }: Attempt, now: number): number | undefined {
  return isUndecided(money.status) ? nextAsk(order, asked, now) : askLater(asked, now);
}

/** `askDelay`: the pauses between questions. */
function askLater(asked: number, now: number): number {
  return now + Math.min(ASK_FIRST * 2 ** Math.min(asked, 20), ASK_MAX);
}

/** `nextAsk`: when a provider is asked about a payment again. */
function nextAsk({ payBy }: Order, asked: number, now: number): number | undefined {
  const later = askLater(asked, now);
  if (now > payBy + ASK_UNTIL) return undefined;
  if (now < payBy - 4) return Math.min(later, payBy - 3);
  return now < payBy ? payBy + 2 : later;
}

/** changePayment's `ask_at`: nobody asks about decided money, unless an event has asked for an answer since. */
function askAtOnceChanged({ askAt }: Attempt, { status }: PaymentMoney, now: number): number | undefined {
  const isOpen = status === 'requested' || status === 'open';
  return isOpen || (askAt !== undefined && askAt <= now) ? askAt : undefined;
}

/** The CASE of markOpen: the provider's answer does not take back what an event said before. */
function statusOnceOpen(status: PaymentStatus): PaymentStatus {
  return status === 'requested' ? 'open' : status;
}

/** `ON CONFLICT DO NOTHING` of applyEvent: an event counts once. */
function isNewEvent({ knownEvents }: { knownEvents: ReadonlySet<number> }, eventId: number): boolean {
  return !knownEvents.has(eventId);
}

/** `refundAt`: when a refund is tried next. */
function refundAt(
  before: PaymentMoney,
  after: PaymentMoney,
  { planned, now }: { planned: number | undefined; now: number },
) {
  if (owedMinor(after) === 0) return undefined;
  const isNews = owedMinor(after) > owedMinor(before) || (before.withheldMinor > 0 && after.withheldMinor === 0);
  return isNews ? now : (planned ?? now);
}

/** The CASE of endRefund: whether a refund is planned again at once after an answer, and never forgotten. */
function refundAtAfterAnswer({
  isProgress,
  planned,
  now,
}: {
  isProgress: boolean;
  planned: number | undefined;
  now: number;
}) {
  return isProgress && planned !== undefined ? now : planned;
}

/** `lockEnded`: whether late money can be decided, as its order has ended. The deadline does not matter. */
function hasEnded({ status }: Order, _now: number): boolean {
  return status !== 'pending_payment';
}

/** decideLateMoney: whether late money may buy a unit again. */
function mayRegrab(order: Order, { money }: Attempt, { lateMoney }: { lateMoney: 'regrab' | 'refund' }): boolean {
  const isSurplus = order.status === 'paid' || order.status === 'refunded';
  return !isSurplus && money.returnedMinor === 0 && lateMoney === 'regrab';
}

/** The state of a sale in Redis. */
interface Shelf {
  isOpen: boolean;
  stock: readonly number[];
  standby: readonly number[];
}

/** regrab.lua: whether a free unit goes to late money. Buyers on standby come first. */
function isUnitFree({ isOpen, stock, standby }: Shelf): boolean {
  return isOpen && stock.length > 0 && standby.length === 0;
}

/** release.lua: whether a claim is released, which its buyer must hold. */
function mayRelease(held: HeldClaim | undefined, claimId: number): held is HeldClaim {
  return held !== undefined && held.claimId === claimId && held.status !== 'ended';
}

/** The WHERE of refundRow and refundPart: only a paid order gives money back. */
function mayRefund({ status }: Order): boolean {
  return status === 'paid';
}

/** A part to give back, what the operator has seen as given back, and what the buyer got through lost disputes. */
interface PartToRefund {
  amountMinor: number;
  seenMinor: number;
  keptMinor: number;
}

/** refundPart: what the operator has seen as given back must be true, and a rest must remain. */
function mayRefundPart(order: Order, { amountMinor, seenMinor, keptMinor: kept }: PartToRefund): boolean {
  const restMinor = order.capturedMinor - seenMinor - kept;
  return order.status === 'paid' && order.refundedMinor === seenMinor && amountMinor < restMinor;
}

/** readClickTimes in expireOrders: the click that expiry asks Redis for. */
function clickOf({ clicks }: { clicks: ReadonlyMap<number, number> }, claimId: number): number | undefined {
  return clicks.get(claimId);
}

/** The rules of the product. */
export const RULES = {
  askAgain,
  askAtOnceChanged,
  bookedDisputeMinor,
  clickOf,
  conclude,
  firstAsk,
  hasEnded,
  isDeadlineRead,
  isNewEvent,
  isOverdue,
  isUnanswered,
  isUndecided,
  isUnitFree,
  joinDispute,
  keptMinor,
  mayBecome,
  mayRecord,
  mayRefund,
  mayRefundPart,
  mayRegrab,
  mayRelease,
  mayTryAgain,
  nextRefund,
  owedMinor,
  payUntil,
  refundAt,
  refundAtAfterAnswer,
  sendableMinor,
  statusOnceOpen,
  takeAnswer,
  takeRefusal,
  takeReport,
  takeReturned,
  takeUnwanted,
  unansweredRefund,
  waitedBy,
};

/** The rules under which a history runs: those of the product, or with a fault put back in. */
export type Rules = typeof RULES;
