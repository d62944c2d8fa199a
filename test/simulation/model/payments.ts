import { disputedAmounts } from '#core/rules/dispute.js';
import type { PaymentReport } from '#core/rules/payment.js';
import type { PaymentMoney, ReportOutcome } from '#core/rules/payment-money.js';
import { NO_MONEY } from '../../support/no-money.js';
import { book, KEPT_MAX, payRow, trueDeadline } from './orders.js';
import type { Attempt, Order } from './rows.js';
import { attemptsOf, type Message, newId, orderOf, PRICE_MINOR, violate, type World } from './world.js';

// The transactions about payments: each function is one, and has locked the row of the payment.

/** requestPayment: records an attempt to pay an order, if it may be paid, and returns the latest attempt. */
export function requestPayment(world: World, orderId: number, clickedAt: number | undefined): Attempt | undefined {
  const { rules, now } = world;
  const order = world.orders.get(orderId);
  const before = attemptsOf(world, orderId);
  if (!order) return undefined;
  const isWaiting = before.some(one => !isOver(one));
  // An attempt waits already, or the click comes to nobody's notice for too long.
  if (isWaiting || now >= order.payBy + KEPT_MAX) order.unansweredClickAt = undefined;
  if (!rules.mayRecord(order, clickedAt, now) || !rules.mayTryAgain(before)) return before.at(-1);
  if (isWaiting) violate(world, `order ${orderId} has two attempts that wait for money`);
  order.unansweredClickAt = undefined;
  const attempt: Attempt = {
    id: newId(world),
    orderId,
    number: before.length + 1,
    paymentId: undefined,
    money: { status: 'requested', ...NO_MONEY },
    disputes: new Map(),
    paidOrderId: undefined,
    regrabClaimId: newId(world),
    isUnwanted: false,
    waited: rules.waitedBy(order, clickedAt, now),
    askAt: rules.firstAsk(order, clickedAt, now),
    asked: 0,
    refundAt: undefined,
    refundTries: 0,
    refunding: null,
    walletMinor: 0,
    byHandMinor: 0,
    decidedMinor: 0,
  };
  world.attempts.push(attempt);
  world.tell?.(`  attempt ${attempt.number} to pay order ${orderId} is recorded`);
  return attempt;
}

function isOver({ money: { status } }: Attempt): boolean {
  return status === 'failed' || status === 'refund_due' || status === 'refunded';
}

/** `payable` of a payment: whether its order can be paid by it. */
export function isPayable(world: World, attempt: Attempt): boolean {
  const order = orderOf(world, attempt);
  return order.status === 'pending_payment' && world.rules.payUntil(order, attempt) > world.now;
}

/** markOpen: records the provider's answer to the request. */
export function markOpen(world: World, attempt: Attempt, paymentId: number): void {
  attempt.paymentId ??= paymentId;
  const money = { ...attempt.money, status: world.rules.statusOnceOpen(attempt.money.status) };
  changePayment(world, attempt, { money });
}

/** markRefused: records that the provider refused to create the payment. */
export function markRefused(world: World, attempt: Attempt): void {
  if (attempt.money.status !== 'requested') return;
  changePayment(world, attempt, { money: { ...attempt.money, status: 'failed' } });
  attempt.askAt = undefined;
}

function setMoney(world: World, attempt: Attempt, money: PaymentMoney): void {
  const { money: before } = attempt;
  if (!world.rules.mayBecome(before.status, money.status)) {
    violate(world, `attempt ${attempt.id} was ${before.status}, and became ${money.status}`);
  }
  if (before.status !== money.status) world.tell?.(`  attempt ${attempt.id} is ${money.status}`);
  if (money.status === 'refund_due' && before.status !== 'refund_due') attempt.decidedMinor = money.takenMinor;
  attempt.money = money;
}

/** A change of a payment's row, and what else is known. */
interface PaymentChange {
  money: PaymentMoney;
  paidOrderId?: number;
  isUnwanted?: boolean;
}

/** changePayment: writes a payment, and books what changed. */
export function changePayment(world: World, attempt: Attempt, { money, paidOrderId, isUnwanted }: PaymentChange): void {
  const { rules, now } = world;
  const { money: before } = attempt;
  setMoney(world, attempt, money);
  attempt.paidOrderId = paidOrderId ?? attempt.paidOrderId;
  attempt.isUnwanted ||= isUnwanted ?? false;
  attempt.askAt = rules.askAtOnceChanged(attempt, money, now);
  attempt.refundAt = rules.refundAt(before, money, { planned: attempt.refundAt, now });
  if (attempt.isUnwanted || rules.isUndecided(money.status) || money.status === 'late') return;
  const booked = bookedOrder(world, attempt);
  const partMinor = money.refundMinor - before.refundMinor;
  if (money.status === 'paid' && partMinor > 0) {
    book(world, booked, { kind: 'refund', amountMinor: partMinor });
    booked.refundedMinor += partMinor;
  }
  const moreMinor = rules.bookedDisputeMinor(money) - booked.disputedMinor;
  if (moreMinor > 0) book(world, booked, { kind: 'dispute', amountMinor: moreMinor });
  if (moreMinor < 0) book(world, booked, { kind: 'dispute_reversal', amountMinor: -moreMinor });
}

/** The order to which the ledger books a payment. */
export function bookedOrder(world: World, { orderId, paidOrderId }: Attempt): Order {
  return world.orders.get(paidOrderId ?? orderId) as Order;
}

/** The outcome of a report, and the attempt that it is about. */
interface Applied {
  outcome: ReportOutcome;
  attempt?: Attempt | undefined;
}

/** applyEvent: stores an event and applies its content. */
export function applyEvent(world: World, { eventId, report, dispute }: Message): Applied {
  const about = report ?? dispute;
  const attempt = about && lockReported(world, about);
  if (!world.rules.isNewEvent(world, eventId)) return { outcome: 'repeated', attempt };
  world.knownEvents.add(eventId);
  if (report) return applyReport(world, report, 'event');
  if (!dispute || !attempt) return { outcome: 'foreign' };
  const joined = world.rules.joinDispute(attempt.disputes.get(Number(dispute.disputeId)), dispute);
  attempt.disputes.set(Number(dispute.disputeId), { ...dispute, ...joined });
  const money = { ...attempt.money, ...disputedAmounts([...attempt.disputes.values()]) };
  if (world.rules.isUndecided(money.status)) {
    attempt.money = money;
    attempt.askAt = world.now;
  } else changePayment(world, attempt, { money: world.rules.conclude(money) });
  return { outcome: 'disputed', attempt };
}

function lockReported({ attempts }: World, { paymentId, orderId }: Pick<PaymentReport, 'paymentId' | 'orderId'>) {
  const named = attempts.find(one => one.paymentId === Number(paymentId));
  return named ?? attempts.findLast(one => String(one.orderId) === orderId);
}

/** apply: applies a provider's report. An event alone never sends money back; the answer to our question does. */
export function applyReport(world: World, report: PaymentReport, source: 'event' | 'answer'): Applied {
  const { rules } = world;
  const attempt = lockReported(world, report);
  if (!attempt) return { outcome: 'unknown_payment' };
  const isNamed = attempt.paymentId === undefined || attempt.paymentId === Number(report.paymentId);
  const isUndecided = rules.isUndecided(attempt.money.status);
  if (isNamed && (attempt.money.takenMinor || PRICE_MINOR) === report.amountMinor)
    return follow(world, attempt, report);
  if (!isUndecided) {
    if (source === 'answer') attempt.askAt = undefined;
    return { outcome: 'mismatch', attempt };
  }
  if (source === 'event') attempt.askAt = world.now;
  else if (isNamed && (report.state === 'paid' || report.state === 'refunded')) {
    attempt.paymentId = Number(report.paymentId);
    changePayment(world, attempt, { money: rules.takeUnwanted(attempt.money, report), isUnwanted: true });
  }
  return { outcome: 'mismatch', attempt };
}

function follow(world: World, attempt: Attempt, report: PaymentReport): Applied {
  const { rules, now } = world;
  const order = orderOf(world, attempt);
  const isMoney = report.state === 'paid' || report.state === 'refunded';
  const isNewMoney = rules.isUndecided(attempt.money.status) && isMoney;
  const isInTime = isNewMoney && order.status === 'pending_payment' && now < trueDeadline(order, attempt);
  const paysOrder = isNewMoney && payRow(world, order, rules.payUntil(order, attempt));
  if (isInTime && !paysOrder) violate(world, `the money for order ${order.id} came in time, and does not pay it`);
  const { money, outcome } = rules.takeReport(attempt.money, report, { payable: paysOrder });
  attempt.paymentId = Number(report.paymentId);
  changePayment(world, attempt, { money, ...(paysOrder ? { paidOrderId: order.id } : {}) });
  return { outcome, attempt };
}

/** payAfterAll: late money pays its own order, whose deadline was moved. */
export function payAfterAll(world: World, attempt: Attempt): boolean {
  const order = orderOf(world, attempt);
  if (attempt.money.status !== 'late') return false;
  if (!payRow(world, order, world.rules.payUntil(order, attempt))) return false;
  const money = world.rules.conclude({ ...attempt.money, status: 'paid' });
  changePayment(world, attempt, { money, paidOrderId: order.id });
  return true;
}

/** payWithLateMoney: late money pays the new order, for which a unit was taken again. */
export function payWithLateMoney(world: World, attempt: Attempt, order: Order | undefined): boolean {
  if (attempt.money.status !== 'late' || !order || !payRow(world, order, order.payBy)) return false;
  const money = world.rules.conclude({ ...attempt.money, status: 'paid' });
  changePayment(world, attempt, { money, paidOrderId: order.id });
  return true;
}

/** refundLateMoney: decides that late money goes back. */
export function refundLateMoney(world: World, attempt: Attempt): boolean {
  const order = orderOf(world, attempt);
  if (attempt.money.status !== 'late' || !world.rules.hasEnded(order, world.now)) return false;
  const money = world.rules.conclude({ ...attempt.money, status: 'refund_due' });
  if (order.capturedMinor > 0) {
    changePayment(world, attempt, { money, isUnwanted: true });
    return true;
  }
  book(world, order, { kind: 'capture', amountMinor: PRICE_MINOR });
  book(world, order, { kind: 'refund', amountMinor: PRICE_MINOR });
  if (order.status === 'cancelled') order.reason = 'refunded_late_payment';
  changePayment(world, attempt, { money });
  return true;
}
